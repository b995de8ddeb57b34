/** The files of the site, and what they are made of. */
import { join } from "node:path";
import { joinBytes } from "../../src/formats/bytes.ts";
import { UserError } from "../../src/formats/user_error.ts";

const root = join(import.meta.dirname!, "../..");

/** The scripts come from `deno task web:bundle`; everything else is there. */
const sources: Record<string, string> = {
  "index.html": "web/static/index.html",
  "style.css": "web/static/style.css",
  "icon.svg": "web/static/icon.svg",
  "gallery.png": "docs/images/gallery.png",
  "page.js": "dist/web/page.js",
  "engine.js": "dist/web/engine.js",
  "doctor.js": "dist/web/doctor.js",
  ...Object.fromEntries(
    ["models/caffenet64", "models/deepsim64"].flatMap((folder) =>
      ["network.json", "weights.safetensors", "labels.txt"].map((file) => [`${folder}/${file}`, `${folder}/${file}`])
    ),
  ),
};

/** Only a classifier has one; that there is none is nothing that a browser keeps for when there is no network. */
const empty = "models/deepsim64/labels.txt";

/** The site, by path. @throws UserError where the scripts are not made. */
export async function siteFiles(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [path, source] of Object.entries(sources)) {
    const bytes = await Deno.readFile(join(root, source)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    if (bytes || path === empty) files.set(path, bytes ?? new Uint8Array(0));
    else throw new UserError(`${source} does not exist; deno task web:bundle makes the scripts`);
  }
  const digest = await crypto.subtle.digest("SHA-256", joinBytes([...files.values()]));
  const name = [...new Uint8Array(digest).slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const offline = await Deno.readTextFile(join(root, "web/static/offline.js"));
  const text = offline.replace("DIGEST", name).replace("files = []", `files = ${JSON.stringify([...files.keys()])}`);
  return files.set("offline.js", new TextEncoder().encode(text));
}

const types: Record<string, string> = {
  html: "text/html; charset=utf-8",
  css: "text/css",
  js: "text/javascript",
  svg: "image/svg+xml",
  png: "image/png",
  json: "application/json",
  txt: "text/plain; charset=utf-8",
};

/** The type that a file is served as. */
export const typeOf = (path: string): string => types[path.split(".").at(-1)!] ?? "application/octet-stream";
