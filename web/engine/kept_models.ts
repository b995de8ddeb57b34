/** Networks that the visitor keeps in this browser: the files of each one's model folder, under its hash. */
import { UserError } from "../../src/formats/user_error.ts";
import type { Files } from "./dropped.ts";
import type { KeptModel } from "./messages.ts";

const STORE = "phosphene networks";
const ABOUT = "about.json";

const place = (hash: string, file: string) => new URL(`networks/${hash}/${file}`, self.location.href).href;

/** @throws UserError where this browser keeps nothing for pages. */
async function store(): Promise<Cache> {
  const opened = await globalThis.caches?.open(STORE).catch(() => undefined);
  if (!opened) throw new UserError("this browser keeps nothing for this page: its storage is switched off");
  return opened;
}

/** What is kept; nothing where this browser keeps nothing. */
export async function keptModels(): Promise<KeptModel[]> {
  const cache = await store().catch(() => undefined);
  const found: KeptModel[] = [];
  for (const request of await cache?.keys() ?? []) {
    if (request.url.endsWith(`/${ABOUT}`)) found.push(await (await cache!.match(request))!.json());
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Keeps one; what says that it is there comes last. @throws UserError where there is no room. */
export async function keepModel(about: KeptModel, files: Files): Promise<void> {
  const cache = await store();
  const { hash, name, bytes } = about;
  try {
    for (const [file, content] of files) await cache.put(place(hash, file), new Response(content));
    await cache.put(place(hash, ABOUT), new Response(JSON.stringify(about)));
  } catch (error) {
    await forgetModel(hash);
    const { usage = 0, quota } = await navigator.storage?.estimate() ?? {};
    const megabytes = (of: number) => Math.ceil(of / 1e6);
    const left = quota === undefined
      ? ""
      : `, which has ${megabytes(Math.max(0, quota - usage))} MB left for this page`;
    throw new UserError(
      `${name} takes ${megabytes(bytes)} MB of this browser's storage${left}, and was not kept: ${
        (error as Error).message
      }`,
    );
  }
}

/** The files of one. @throws UserError where it is not there any more. */
export async function keptFiles({ hash, name }: KeptModel): Promise<Files> {
  const cache = await store();
  const files = new Map<string, Blob>();
  const start = place(hash, "");
  for (const { url } of await cache.keys()) {
    if (url.startsWith(start) && !url.endsWith(`/${ABOUT}`)) {
      files.set(decodeURIComponent(url.slice(start.length)), await (await cache.match(url))!.blob());
    }
  }
  if (files.size === 0) throw new UserError(`${name} is not kept in this browser any more`);
  return files;
}

/** Forgets one. */
export async function forgetModel(hash: string): Promise<void> {
  const cache = await store();
  const start = place(hash, "");
  for (const { url } of await cache.keys()) if (url.startsWith(start)) await cache.delete(url);
}
