/** The site's files, and a sweep's report: how much they are, what browsers have to know for them, and that they need no network. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "fflate";
import { page as reportPage } from "../../src/cli/sweep/page.ts";
import { siteFiles } from "../../tools/web/site.ts";
import { temporaryFolder } from "../cli/user.ts";
import { accessFaults, openSite, type Page, until } from "./browser.ts";
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
  const file = await openReport(page);
  assert.deepEqual(complaints, [file], "a report asks for itself alone");
});

/** Opens a report from the disk, on a telephone, and looks for a picture. Returns its address. */
async function openReport(page: Page): Promise<string> {
  using folder = temporaryFolder();
  const path = join(folder.path, "report.html");
  const card = (picture: number, ...names: string[]) => {
    const seen = { top: names.map((name) => ({ name })), recognised: true };
    const again = `deno task synth --from pictures/0000${picture}.png`;
    return { picture, title: names[0], settings: {}, activation: 1, trace: [0, 1], ...seen, judge: seen, again };
  };
  const lines = [card(0, "owl", "eagle", "cup", "bee"), card(1, "<b>bee", "cup", "eagle", "owl")];
  Deno.writeTextFileSync(path, reportPage("two", { name: "two", lines, varied: [], adapters: ["none"], planned: 2 }));
  await page.setViewportSize({ width: 360, height: 800 });
  const { href } = pathToFileURL(path);
  await page.goto(href);
  const shown = () => page.locator("output").textContent();
  assert.equal(await shown(), "2 of 2 shown");
  await page.getByLabel("Search").fill("Owl"); // which the other card does not show, for it is the fourth there
  assert.equal(await shown(), "1 of 2 shown");
  const right =
    `Math.max(...Array.from(document.querySelectorAll("body *"), (element) => element.getBoundingClientRect().right))`;
  assert.ok(await page.evaluate<number>(right) <= 360 - 16, "nothing is wider than the page without its margin");
  assert.deepEqual(await accessFaults(page), []);
  return href;
}
