/** What a person does on the page, and sees there. */
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { readRecord } from "../../src/record/record.ts";
import { type Page, until } from "./browser.ts";
import { given } from "./networks.ts";

/** A button by its name. */
export const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });
/** What the page has to say. */
export const words = (page: Page) => page.locator(".words").textContent();
/** Opens files. */
export const open = (page: Page, files: Parameters<ReturnType<Page["locator"]>["setInputFiles"]>[0]) =>
  page.locator("input[type=file]").setInputFiles(files);

/** Drops a file that the browser cannot give any more, and is told so. */
export async function dropGone(page: Page): Promise<void> {
  const sentence = "The file is gone.";
  await page.evaluate(`{
    const entry = { isFile: true, file: (_, fail) => fail(new Error("${sentence}")) };
    const dataTransfer = { items: [{ webkitGetAsEntry: () => entry }], files: [] };
    document.querySelector(".page").dispatchEvent(Object.assign(new Event("drop"), { dataTransfer }));
  }`);
  await until(() => words(page), (text) => text?.startsWith(sentence) ?? false);
}

/** How many small pictures of units the browser keeps. */
export const atlasPictures = (page: Page) =>
  page.evaluate<number>(`(async () => {
    const name = (await caches.keys()).find((name) => name.startsWith("phosphene atlas"));
    return name ? (await (await caches.open(name)).keys()).length : 0;
  })()`);

/** Waits for the end of a search. */
export const atEnd = (page: Page) =>
  until(() => page.locator(".transport").textContent(), (text) => /^Again/.test(text ?? ""));

/** Moves a slider, as dragging it does. */
export const slide = (page: Page, label: string, value: number) =>
  page.evaluate(`{
    const label = [...document.querySelectorAll("label")].find((one) => one.textContent.includes(${
    JSON.stringify(label)
  }));
    const input = label.querySelector("input");
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, "${value}");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }`);

/** The picture that is shown, as an address. */
export const pictureShown = (page: Page) =>
  page.locator("figure canvas").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());

/** A picture to drop. */
export const photo = (name: string, repeats: number) => {
  const rgb = Uint8Array.from({ length: 3 * 20 * 10 }, (_, i) => i % repeats);
  return given(name, encodePng({ width: 20, height: 10, rgb }));
};

/** Begins a search that is long enough to be paused, and pauses it. */
export async function pause(page: Page): Promise<void> {
  await slide(page, "Iterations", 1000);
  await button(page, "Again").click();
  await button(page, "Pause").click();
}

/** The PNG that the page saves, and the record in it. */
export async function savedPng(page: Page) {
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Picture (PNG)").click()]);
  const bytes = await Deno.readFile(await download.path());
  const name = download.suggestedFilename();
  const { rgb, text } = await decodeImage(bytes, name);
  return { name, bytes, rgb, record: readRecord(text, name) };
}
