/** The site's files: how much they are, what browsers have to know for them, and that they are enough without a network. */
import assert from "node:assert/strict";
import { gzipSync } from "fflate";
import { siteFiles } from "../../tools/web/site.ts";
import { openSite, until } from "./browser.ts";
import { atEnd, pictureShown } from "./person.ts";
import { tinyFiles } from "./tiny.ts";

Deno.test("what ships is small, and understood by Chrome 113", async () => {
  const names = ["page.js", "engine.js", "doctor.js"];
  const files = await siteFiles();
  const decoder = new TextDecoder();
  for (const name of names) {
    const text = decoder.decode(files.get(name));
    assert.doesNotMatch(text, /\busing [\w$]+=|"node:|Float16Array|DisposableStack/, name);
  }
  const bytes = ["page.js", "engine.js"].reduce((sum, name) => sum + gzipSync(files.get(name)!).length, 0);
  assert.ok(bytes < 300_000, `${bytes}`);
  const all = [...files].filter(([name]) => name !== "doctor.js").reduce((sum, [, { length }]) => sum + length, 0);
  assert.ok(all < 25e6, `${all}`);
});

Deno.test("once loaded, the page needs no network", async () => {
  await using site = await openSite({ files: tinyFiles(), hash: "#unit=1", offline: true });
  const { page, address, complaints } = site;
  await atEnd(page);
  const first = await pictureShown(page);
  await until(
    () => page.evaluate("navigator.serviceWorker.controller?.state ?? 'none'"),
    (state) => state === "activated",
  );
  const asked = site.unplug();
  await page.goto(`${address}?again#unit=1`);
  await atEnd(page);
  assert.equal(await pictureShown(page), first);
  assert.deepEqual([asked.filter((path) => path !== "offline.js"), complaints], [[], []]);
});
