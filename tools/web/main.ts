/** `deno task web`: the page, served on this machine or written as the files of a static site. */
import { join } from "node:path";
import { type Command, main, print, tell } from "../../src/cli/command.ts";
import { Outputs } from "../../src/cli/outputs/outputs.ts";
import { writeFiles } from "../../src/cli/outputs/place.ts";
import { wholeNumber } from "../../src/cli/values.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { siteFiles, typeOf } from "./site.ts";

const options = {
  port: { value: "N", help: "the port of this machine that the page is served on (8000); 0 is any that is free" },
  build: { value: "DIR", help: "writes the site's files there in place of serving them: any file host will do" },
  force: { help: "with --build: overwrites files that exist" },
};

/** The command. */
export const command: Command<typeof options> = {
  name: "web",
  summary:
    "The page: looks into a network in a browser's tab, on the GPU that is there. Only this machine can reach it.",
  options,
  examples: [
    ["deno task web", "serves the page at http://127.0.0.1:8000/"],
    ["deno task web --build site", "the same as files, for any host of static files"],
  ],
  async run({ port, build, force }) {
    if (build !== undefined) return await write(build, force);
    if (force) throw new UserError("--force is for --build");
    await serve(wholeNumber("--port", port, { most: 65535, fallback: 8000 }));
  },
};

/** Writes the site, all of it or nothing: no part is of use to anyone, or cannot be made again. */
async function write(folder: string, force: boolean): Promise<void> {
  const files = await siteFiles();
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  using _ = Outputs.open([...files.keys()].map((path) => join(folder, path)), { force, bytes });
  writeFiles(new Map([...files].map(([path, content]) => [join(folder, path), content])), { force });
  print(`${folder}: ${files.size} files, ${(bytes / 1e6).toFixed(1)} MB`);
}

/** Serves it, until somebody ends the program. @throws UserError where the port is taken. */
async function serve(port: number): Promise<void> {
  const files = await siteFiles();
  const answer = (request: Request): Response => {
    const path = new URL(request.url).pathname.slice(1) || "index.html";
    const content = files.get(path);
    if (!content) return new Response("there is no such file", { status: 404 });
    const headers = { "content-type": typeOf(path), "cache-control": "no-cache", "x-content-type-options": "nosniff" };
    return new Response(content, { headers });
  };
  try {
    const onListen = ({ port }: Deno.NetAddr) => {
      print(`http://127.0.0.1:${port}/`);
      tell("Ctrl-C ends it");
    };
    await Deno.serve({ hostname: "127.0.0.1", port, onListen }, answer).finished;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new UserError(`port ${port} of this machine is taken; --port names another`);
  }
}

if (import.meta.main) await main(command);
