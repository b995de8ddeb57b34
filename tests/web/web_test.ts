/** The page as a person uses it, in Chromium, with networks so small that a search takes no time. */
import assert from "node:assert/strict";
import { accessFaults, iterationOf, openSite, until } from "./browser.ts";
import { caffeFiles, given, onnxFiles } from "./networks.ts";
import { atEnd, atlasPictures, button, dropGone, open, pause, photo } from "./person.ts";
import { pictureShown, savedPng, slide, words } from "./person.ts";
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

Deno.test("the page in Chromium, an old one by what it lacks", async (t) => {
  await using site = await openSite({ before: likeChrome113, files: tinyFiles(), hash: "#unit=1&seed=2" });
  const { page, address, complaints } = site;
  const find = page.getByRole("combobox", { name: /^Find a unit/ });

  await t.step("what the address names is drawn, with its activation and what the network sees", async () => {
    await atEnd(page);
    assert.equal(await iterationOf(page), 200);
    assert.equal(await page.locator("figure .caption").textContent(), "bell pepper");
    assert.match(await page.locator(".top").textContent() ?? "", /^The network seesbell pepper\d/);
    assert.match(await page.evaluate(() => location.hash), /^#model=[0-9a-f]{12}&unit=1&seed=2$/);
  });

  await t.step("a unit is found by typing", async () => {
    await find.fill("APP");
    await find.press("Enter");
    await until(() => page.locator("figure .caption").textContent(), (text) => text === "apple");
    await atEnd(page);
  });

  await t.step("the way back: to the view before, whose search is still there, and to the unit before", async () => {
    const last = await pictureShown(page);
    await button(page, "Network").click();
    await button(page, "conv1").click();
    assert.match(await page.evaluate(() => location.hash), /^#model=[0-9a-f]{12}&view=network&layer=conv1$/);
    await page.goBack();
    await page.goBack();
    assert.equal(await iterationOf(page), 200);
    assert.equal(await pictureShown(page), last);
    await page.goBack();
    await until(() => page.locator("figure .caption").textContent(), (text) => text === "bell pepper");
    await page.goForward();
    await until(() => page.locator("figure .caption").textContent(), (text) => text === "apple");
  });

  await t.step("an address that names what is not there says so, and shows what is", async () => {
    await page.evaluate(() => void (location.hash = "#layer=conv9&unit=abc&method=xyz&seed=2"));
    assert.match(
      await until(() => words(page), (text) => /address/.test(text ?? "")) ?? "",
      /^Left out of the address: layer=conv9, expected one of conv1.*; method=xyz, expected one of .*fft.*\.$/,
    );
    assert.match(await page.evaluate(() => location.hash), /^#model=[0-9a-f]{12}&unit=0&seed=2$/);
    await atEnd(page);
  });

  await t.step("the iterations are looked back at", async () => {
    const last = await pictureShown(page);
    await slide(page, "Iteration that is shown", 3);
    assert.equal(await iterationOf(page), 3);
    assert.notEqual(await pictureShown(page), last);
    await slide(page, "Iteration that is shown", 200);
    assert.equal(await iterationOf(page), 200);
  });

  await t.step("paused, stepped, and given another decay on its way", async () => {
    await slide(page, "Iterations", 1000);
    await button(page, "Again").click();
    await button(page, "Network").click();
    await button(page, "conv1").click();
    await page.getByText(/^0 of \d+ drawn, waiting for the search to end Stop$/).waitFor();
    await button(page, "Stop").click();
    await button(page, "Go on").waitFor();
    await button(page, "Search").click();
    await button(page, "Pause").click();
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

  await t.step("two units in one picture, balanced on the way, then without a generator", async () => {
    await find.fill("candle");
    await page.getByText(/^Shift with Enter or a click draws it beside/).waitFor();
    await find.press("Shift+Enter");
    await until(() => page.locator(".pictures li").count(), (count) => count === 2);
    await page.getByLabel("In one picture").click();
    await until(() => page.locator("figure .caption").textContent(), (text) => text === "apple, candle");
    assert.match(await page.evaluate(() => location.hash), /&unit=0,2&together=yes&seed=2$/);
    await slide(page, "Iterations", 1000);
    await button(page, "Pause").click();
    await slide(page, "Balance", 0.5);
    await slide(page, "Iterations", await until(() => iterationOf(page), (iteration) => iteration > 0) + 20);
    await button(page, "Go on").click();
    await atEnd(page);
    const { units, gamma } = (await savedPng(page)).record;
    assert.deepEqual([units, gamma], [[0, 2], 0.5]);
    await page.getByLabel("Drawn by").selectOption("fft");
    await until(
      () => page.locator(".command code").textContent(),
      (text) => text === "deno task synth --units 0,2 --together --seed 2 --method fft",
    );
    await until(() => iterationOf(page), (iteration) => iteration > 0);
    await slide(page, "Iterations", 10); // at once: one more
    await atEnd(page);
    const { method, prior } = (await savedPng(page)).record;
    assert.deepEqual([method, prior], ["fft", "fourier"]);
    await page.getByLabel("Drawn by").selectOption("");
    await slide(page, "Balance", 0.5);
    await find.fill("apple");
    await find.press("Enter");
    await until(() => page.locator("figure .caption").textContent(), (text) => text === "apple");
    assert.doesNotMatch(await page.locator(".command code").textContent() ?? "", /gamma/);
    await until(() => page.locator(".transport").textContent(), (text) => /^Again.*200 of 200$/.test(text ?? ""));
  });

  await t.step("a saved picture that is dropped is drawn again, byte for byte", async () => {
    const { name, bytes, rgb, record } = await savedPng(page);
    await open(page, [given(name, bytes)]);
    await until(() => page.locator(".command code").textContent(), (text) => text === `deno task synth --from ${name}`);
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

  await t.step("photographs are looked at, layer by layer, part by part and beside each other", async () => {
    await page.workers()[0].evaluate("device.destroy()"); // a tab that slept
    await page.evaluate(`looked = false;
      new MutationObserver(() => looked ||= document.body.textContent.includes("Looking…"))
        .observe(document.body, { childList: true, subtree: true });`);
    await open(page, [
      photo("cat.png", 251),
      photo("dog.png", 83),
      given("bad.png", Uint8Array.of(1, 2, 3)),
      given("a.txt", Uint8Array.of(97)),
    ]);
    await until(() => page.locator(".strip li").count(), (count) => count === 2);
    const leftOut = "Left out: a.txt is neither PNG nor JPEG; bad.png: neither a PNG nor a JPEG picture.";
    await until(() => words(page), (text) => text === leftOut);
    await dropGone(page);
    assert.match(await page.locator("figure .caption").textContent() ?? "", /^cat\.png/);
    assert.equal(await page.evaluate("looked"), true);
    assert.equal(await page.locator(".ranked li").count(), 5);
    await button(page, "The strongest units of each layer").click();
    await until(() => page.locator(".look").count(), (count) => count === 3);
    const whole = await pictureShown(page);
    await button(page, /^where it sees unit \d+$/).first().click();
    await page.getByText(/^What of cat\.png excites “unit \d+ of conv1”/).waitFor();
    assert.notEqual(await pictureShown(page), whole);
    await page.getByLabel("Nearest").selectOption("");
    const distance = Number(await page.locator(".nearest .caption").textContent());
    assert.ok(distance > 0, `${distance}`);
  });

  await t.step("a search starts from a photograph, and its unit says which excite it", async () => {
    await button(page, "Start the search from this").click();
    await until(() => page.locator(".command code").textContent(), (text) => /--init cat\.png/.test(text ?? ""));
    await atEnd(page);
    assert.equal((await savedPng(page)).record.start?.file, "cat.png");
    await button(page, "Which of yours excite it most").click();
    await until(() => page.locator(".facts .strip li").count(), (count) => count === 2);
    const told = [0, 1].map((n) => page.locator(".facts .strip .caption").nth(n).textContent());
    const [first, second] = (await Promise.all(told)).map(Number);
    assert.ok(first >= second, `${first} ${second}`);
  });

  await t.step("a photograph is taken by the camera, and taken away", async () => {
    await button(page, "Photographs").click();
    await button(page, "Take one with the camera").click();
    await until(
      () => page.evaluate("document.querySelector('video')?.videoWidth ?? 0"),
      (width) => Number(width) > 0,
    );
    await page.getByRole("button", { name: "Take it", exact: true }).click();
    await until(() => page.locator(".strip li").count(), (count) => count === 3);
    await button(page, "Take it away").click();
    await until(() => page.locator(".strip li").count(), (count) => count === 2);
  });

  await t.step("axe finds nothing serious, and 360 pixels are wide enough", async () => {
    await page.setViewportSize({ width: 360, height: 780 });
    for (const view of ["Photographs", "Search"]) {
      await page.getByRole("button", { name: view, exact: true }).click();
      assert.deepEqual(await accessFaults(page), [], view);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360, view);
    }
  });

  await t.step("networks that are dropped: Caffe's, ONNX's with its weights beside it, and a broken one", async () => {
    await open(page, caffeFiles());
    await page.getByRole("heading", { name: "dropped" }).waitFor();
    const told = /^dropped is the classifier now\. The mean that pixels lose is .*; 0 is taken\.$/;
    await until(() => words(page), (text) => told.test(text ?? ""));
    await button(page, "conv1").click();
    await until(() => page.locator(".atlas img").count(), (count) => count === 2);
    await open(page, [caffeFiles()[0], given("broken.caffemodel", Uint8Array.of(0xa2, 6, 99))]);
    assert.match(await until(() => words(page), (text) => /broken/.test(text ?? "")) ?? "", /^broken\.caffemodel/);
    await open(page, [given("page.prototxt", new TextEncoder().encode("<!DOCTYPE html>")), caffeFiles()[1]]);
    await until(() => words(page), (text) => /^page\.prototxt: this is a web page \(HTML\)/.test(text ?? ""));
    await open(page, [given("other.safetensors", new Uint8Array(9).fill(255))]);
    await until(() => words(page), (text) => /^other\.safetensors: not a safetensors file/.test(text ?? ""));
    await button(page, "Photographs").click();
    assert.ok(await button(page, "Start the search from this").evaluate((one) => (one as HTMLButtonElement).disabled));
    await page.getByText("The search cannot start from it, for fourier begins from noise.").waitFor();
    await open(page, onnxFiles());
    await page.getByRole("heading", { name: "other" }).waitFor();
    const put = "Cache.prototype.put";
    await page.workers()[0].evaluate(`put = ${put}; ${put} = () => Promise.reject(new Error("no room")); 0`);
    await button(page, /^Keep other/).click();
    const full =
      /^other takes 1 MB of this browser's storage, which has \d+ MB left for this page, and was not kept: no room/;
    await until(() => words(page), (text) => full.test(text ?? ""));
    await page.workers()[0].evaluate(`${put} = put; 0`);
    await button(page, /^Keep other/).click();
    await button(page, "Open other").waitFor();
    await open(page, caffeFiles());
    await page.getByRole("heading", { name: "dropped" }).waitFor();
    await button(page, /^Keep dropped/).click();
    await button(page, "Open other").click();
    await page.getByRole("heading", { name: "other" }).waitFor();
    assert.equal(await button(page, /^Keep/).count(), 0); // its files have the same hash
    await button(page, "Open dropped").click();
    await page.getByRole("heading", { name: "dropped" }).waitFor();
    assert.equal(await button(page, /^Keep/).count(), 0);
    const before = await atlasPictures(page);
    for (const name of ["other", "dropped"]) await button(page, `Delete ${name}`).click();
    await until(() => atlasPictures(page), (count) => count === before - 2);
    await until(() => page.locator(".kept li").count(), (count) => count === 1);
    await button(page, "The embedded pair").click();
    await until(() => page.locator("figure .caption").textContent(), (text) => text === "apple");
    await button(page, "+ a unit").click();
    await find.fill("2");
    await find.press("Enter");
    await until(() => page.locator(".pictures li").count(), (count) => count === 2);
  });

  await t.step("the seeds are counted, however many the address names", async () => {
    await page.evaluate(() => void (location.hash = "#unit=1&seed=3,5,9"));
    await until(() => page.locator(".pictures li").count(), (count) => count === 3);
    assert.equal(await page.getByLabel("Seeds").evaluate((select) => (select as HTMLSelectElement).value), "3");
    await page.locator(".seeds input").fill("4294967294");
    await page.locator(".seeds input").press("Enter");
    await until(() => words(page), (text) => text === "seed 4294967296, expected at most 4294967295");
  });

  await t.step("the GPU's examination tells how far it is, and is stopped", async () => {
    await button(page, "This GPU").click();
    await button(page, "Examine it").click();
    await page.getByText(/^It compares .* with float64, \d+ of \d+$/).waitFor();
    await button(page, "Stop").click();
    await button(page, "Examine it").waitFor();
  });

  await t.step("the engine ends, and the page begins again", async () => {
    await page.workers()[0].evaluate("setTimeout(() => { throw new Error('gone') }); 0");
    await button(page, "Begin again").click();
    await button(page, "Examine it").waitFor(); // where it was
    assert.match(complaints.splice(0).join("\n"), /^(Uncaught )?(Error: )?gone$/);
  });

  await t.step("without WebGPU: the browsers that have it, and pictures", async () => {
    await page.addInitScript("Object.defineProperty(Navigator.prototype, 'gpu', { get() {} })");
    await page.goto(`${address}?`);
    await page.getByRole("heading", { name: "This browser gives pages no GPU" }).waitFor();
    await page.getByText(/Chrome and Edge have it from 113/).waitFor();
  });

  assert.deepEqual(complaints, []);
});
