/** Small pictures that were made before, in the browser's own storage, under the networks' hashes. */
import { opened } from "./state.ts";

const STORE = "phosphene atlas";

/** The most that are there when the page is opened: the oldest go. */
const MOST = 10_000;

/** This version's store, for another draws otherwise; where storage is refused, nothing is kept. */
async function open(): Promise<Cache | undefined> {
  const own = `${STORE} ${opened.value!.version}`;
  const names = await globalThis.caches?.keys() ?? [];
  for (const name of names) if (name.startsWith(STORE) && name !== own) await caches.delete(name);
  const cache = await globalThis.caches?.open(own);
  for (const old of (await cache?.keys() ?? []).slice(0, -MOST)) await cache.delete(old);
  return cache;
}

let opening: Promise<Cache | undefined> | undefined;
const store = () => opening ??= open().catch(() => undefined);

const place = (key: string) => new URL(`atlas/${key}`, location.href).href;

/** A picture that is kept. */
export async function kept(key: string): Promise<Blob | undefined> {
  const found = await (await store())?.match(place(key)).catch(() => undefined);
  return await found?.blob();
}

/** Keeps a picture. */
export async function keep(key: string, picture: Blob): Promise<void> {
  await (await store())?.put(place(key), new Response(picture)).catch(() => {});
}

/** Forgets those that a network had a part in, by its hash. */
export async function forgetPictures(hash: string): Promise<void> {
  const cache = await store();
  for (const { url } of await cache?.keys() ?? []) if (url.includes(`/${hash}/`)) await cache!.delete(url);
}
