/** The page as a person uses it, in Chromium, with networks so small that a search takes no time. */
import assert from "node:assert/strict";
import { gzipSync } from "fflate";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { readRecord } from "../../src/record/record.ts";
import { siteFiles } from "../../tools/web/site.ts";
import { accessFaults, iterationOf, openSite, type Page, until } from "./browser.ts";
import { caffeFiles, given, onnxFiles } from "./networks.ts";
import { tinyFiles } from "./tiny.ts";

/** Takes away what Chrome 113, the first with WebGPU, has not. */
const likeChrome113 = `
for (const name of ["Float16Array", "DisposableStack", "AsyncDisposableStack", "SuppressedError"]) delete globalThis[name];
delete ArrayBuffer.prototype.transfer;
delete Uint8Array.fromBase64;
delete Uint8Array.prototype.toBase64;
delete Map.groupBy;
delete Object.groupBy;
delete Array.fromAsync;
delete Promise.withResolvers;
delete ReadableStream.from;
`;

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });
const words = (page: Page) => page.locator(".words").textContent();
const open = (page: Page, files: Parameters<ReturnType<Page["locator"]>["setInputFiles"]>[0]) =>
  page.locator("input[type=file]").setInputFiles(files);

/** Waits for the end of a search. */
const atEnd = (page: Page) =>
  until(() => page.locator(".transport").textContent(), (text) => /^Again/.test(text ?? ""));

/** Moves a slider, as dragging it does. */
const slide = (page: Page, label: string, value: number) =>
  page.evaluate(`{
    const label = [...document.querySelectorAll("label")].find((one) => one.textContent.includes(${
    JSON.stringify(label)
  }));
    const input = label.querySelector("input");
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, "${value}");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }`);

/** Begins a search that is long enough to be paused, and pauses it. */
async function pause(page: Page): Promise<void> {
  await slide(page, "Iterations", 1000);
  await button(page, "Again").click();
  await button(page, "Pause").click();
}

/** The PNG that the page saves, and the record in it. */
async function savedPng(page: Page) {
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Picture (PNG)").click()]);
  const bytes = await Deno.readFile(await download.path()), name = download.suggestedFilename();
  const { rgb, text } = await decodeImage(bytes, name);
  return { name, bytes, rgb, record: readRecord(text, name) };
}

Deno.test("what ships is small, and understood by Chrome 113", async () => {
  const names = ["page.js", "engine.js", "doctor.js"], files = await siteFiles(), decoder = new TextDecoder();
  for (const name of names) {
    const text = decoder.decode(files.get(name));
    assert.doesNotMatch(text, /\busing [\w$]+=|"node:|Float16Array|DisposableStack/, name);
  }
  const bytes = ["page.js", "engine.js"].reduce((sum, name) => sum + gzipSync(files.get(name)!).length, 0);
  assert.ok(bytes < 300_000, `${bytes}`);
  const all = [...files].filter(([name]) => name !== "doctor.js").reduce((sum, [, { length }]) => sum + length, 0);
  assert.ok(all < 25e6, `${all}`);
});

Deno.test("the page in Chromium, an old one by what it lacks", async (t) => {
  await using site = await openSite({ before: likeChrome113, files: tinyFiles(), hash: "#unit=1&seed=2" });
  const { page, address, complaints } = site;

  await t.step("what the address names is drawn, with its activation and what the network sees", async () => {
    await atEnd(page);
    assert.equal(await iterationOf(page), 200);
    assert.equal(await page.locator("figure .caption").textContent(), "bell pepper");
    assert.match(await page.locator(".top").textContent() ?? "", /^The network seesbell pepper\d/);
    assert.match(await page.evaluate(() => location.hash), /^#model=[0-9a-f]{12}&unit=1&seed=2$/);
  });

  await t.step("a unit is found by typing", async () => {
    const find = page.getByRole("combobox", { name: /^Find a unit/ });
    await find.fill("APP");
    await find.press("Enter");
    await until(() => page.locator("figure .caption").textContent(), (text) => text === "apple");
    await atEnd(page);
  });

  await t.step("the iterations are looked back at", async () => {
    const last = await page.locator("canvas").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    await slide(page, "Iteration that is shown", 3);
    assert.equal(await iterationOf(page), 3);
    assert.notEqual(await page.locator("canvas").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL()), last);
    await slide(page, "Iteration that is shown", 200);
    assert.equal(await iterationOf(page), 200);
  });

  await t.step("paused, stepped, and given another decay on its way", async () => {
    await pause(page);
    await slide(page, "Decay", 0.9);
    const before = await until(() => iterationOf(page), (iteration) => iteration > 0);
    await button(page, "Step").click();
    const reached = await until(() => iterationOf(page), (iteration) => iteration > before);
    await slide(page, "Iterations", reached + 20);
    await button(page, "Go on").click();
    await atEnd(page);
    const { name, record: { decay, start, iterations, result } } = await savedPng(page);
    assert.deepEqual([name, decay, result.iterations], ["fc3_0000_2.png", 0.9, iterations]);
    const [, turned] = /^iteration (\d+)$/.exec(start!.file)!;
    assert.equal(Number(turned) + iterations!, await iterationOf(page));
  });

  await t.step("a saved picture that is dropped is drawn again, byte for byte", async () => {
    const { name, bytes, rgb, record } = await savedPng(page);
    await open(page, [given(name, bytes)]);
    await until(
      () => page.locator(".count").textContent(),
      (text) => text === `${record.iterations} of ${record.iterations}`,
    );
    await atEnd(page);
    const again = await savedPng(page);
    assert.deepEqual(again.rgb, rgb);
    assert.deepEqual(again.record, record);
  });

  await t.step("the device is lost, and the search goes on", async () => {
    await pause(page);
    await page.workers()[0].evaluate("device.destroy()");
    await slide(page, "Iterations", 10); // at once: one more
    await button(page, "Go on").click();
    await atEnd(page);
    assert.match(
      await words(page) ?? "",
      /The GPU was taken away; the search went on from iteration \d+ on a new one\./,
    );
  });

  await t.step("a photograph is looked at, and the search starts from it", async () => {
    const rgb = Uint8Array.from({ length: 3 * 20 * 10 }, (_, i) => i % 251);
    await open(page, [given("cat.png", encodePng({ width: 20, height: 10, rgb }))]);
    await until(() => page.locator(".ranked li").count(), (count) => count === 5);
    await button(page, "The strongest units of each layer").click();
    await until(() => page.locator(".look").count(), (count) => count === 3);
    await button(page, "Start the search from this").click();
    await atEnd(page);
    assert.equal((await savedPng(page)).record.start?.file, "cat.png");
  });

  await t.step("axe finds nothing serious, and 360 pixels are wide enough", async () => {
    assert.deepEqual(await accessFaults(page), []);
    await page.setViewportSize({ width: 360, height: 780 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360);
  });

  await t.step("networks that are dropped: Caffe's, ONNX's with its weights beside it, and a broken one", async () => {
    await open(page, caffeFiles());
    await page.getByRole("heading", { name: "dropped" }).waitFor();
    assert.match(
      await words(page) ?? "",
      /^dropped is the classifier now\. The mean that pixels lose is .*; 0 is taken\.$/,
    );
    await button(page, "conv1").click();
    await until(() => page.locator(".atlas img").count(), (count) => count === 2);
    await open(page, [caffeFiles()[0], given("broken.caffemodel", Uint8Array.of(0xa2, 6, 99))]);
    assert.match(await until(() => words(page), (text) => /broken/.test(text ?? "")) ?? "", /^broken\.caffemodel/);
    await open(page, onnxFiles());
    await page.getByRole("heading", { name: "other" }).waitFor();
    await button(page, "The embedded pair").click();
    await until(() => words(page), (text) => /^unit 945 does not exist: fc3 of tiny classifier/.test(text ?? ""));
    const find = page.getByRole("combobox", { name: /^Find a unit/ });
    await find.fill("2");
    await find.press("Enter");
    await until(() => page.locator("figure .caption").textContent(), (text) => text === "candle");
  });

  await t.step("without WebGPU: the browsers that have it, and pictures", async () => {
    await page.addInitScript("Object.defineProperty(Navigator.prototype, 'gpu', { get() {} })");
    await page.goto(`${address}?`);
    await page.getByRole("heading", { name: "This browser gives pages no GPU" }).waitFor();
    await page.getByText(/Chrome and Edge have it from 113/).waitFor();
  });

  assert.deepEqual(complaints, []);
});
