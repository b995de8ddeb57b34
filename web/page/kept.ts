/** Small pictures that were made before, in the browser's own storage, under the networks' hashes. */

/** The store; where storage is refused, nothing is kept. */
const store = async () => await globalThis.caches?.open("phosphene atlas").catch(() => undefined);

const place = (key: string) => new URL(`atlas/${key}`, location.href).href;

/** A picture that is kept. */
export async function kept(key: string): Promise<Blob | undefined> {
  const found = await (await store())?.match(place(key));
  return await found?.blob();
}

/** Keeps a picture. */
export async function keep(key: string, picture: Blob): Promise<void> {
  await (await store())?.put(place(key), new Response(picture)).catch(() => {});
}
