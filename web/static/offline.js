// Keeps the site in the browser's own storage, so that it works without a network once it has been loaded.
// The build puts the site's digest and its files here: another site, another store.
const store = "phosphene-DIGEST";
const files = [];

addEventListener("install", (event) => {
  const keep = async () => {
    const kept = await caches.open(store);
    await kept.addAll(["./", ...files]);
    await skipWaiting();
  };
  event.waitUntil(keep());
});

addEventListener("activate", (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("phosphene-") && name !== store) await caches.delete(name);
    }
    await clients.claim();
  };
  event.waitUntil(clean());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  const answer = async () => {
    const kept = await caches.open(store), found = await kept.match(request, { ignoreSearch: true });
    if (found) return found;
    const response = await fetch(request);
    if (response.ok) event.waitUntil(kept.put(request, response.clone()).catch(() => {}));
    return response;
  };
  event.respondWith(answer());
});
