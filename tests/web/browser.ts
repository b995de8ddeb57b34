/**
 * The site in headless Chromium, driven by playwright-core as a person would. It is fetched by these tests alone, has a lock of its
 * own (`deno.lock` in this folder), and is described by the few types that are used: nobody who only draws pictures needs its 15 MB.
 * The lock is written anew by
 *
 *     deno cache --lock=tests/web/deno.lock --frozen=false tests/web/*_test.ts npm:playwright-core@1.65.1 npm:axe-core@4.14.1
 */
import { siteFiles, typeOf } from "../../tools/web/site.ts";
import type { Given } from "./networks.ts";

/** What is used of playwright-core's `Locator`. */
export interface Locator {
  click(): Promise<void>;
  fill(text: string): Promise<void>;
  press(key: string): Promise<void>;
  textContent(): Promise<string | null>;
  getAttribute(name: string): Promise<string | null>;
  isVisible(): Promise<boolean>;
  count(): Promise<number>;
  first(): Locator;
  nth(n: number): Locator;
  selectOption(value: string): Promise<unknown>;
  waitFor(options?: { timeout?: number }): Promise<void>;
  evaluate<T>(run: (element: HTMLElement) => T): Promise<T>;
  setInputFiles(files: readonly Given[]): Promise<void>;
}

/** What is used of its `Page`. */
export interface Page {
  goto(address: string): Promise<unknown>;
  goBack(): Promise<unknown>;
  goForward(): Promise<unknown>;
  getByRole(role: string, options?: { name?: string | RegExp; exact?: boolean }): Locator;
  getByText(text: string | RegExp): Locator;
  getByLabel(text: string | RegExp): Locator;
  locator(selector: string): Locator;
  evaluate<T>(run: string | (() => T | Promise<T>)): Promise<T>;
  waitForEvent(name: "download"): Promise<{ suggestedFilename(): string; path(): Promise<string> }>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  emulateMedia(media: { colorScheme?: "dark" | "light"; reducedMotion?: "reduce" }): Promise<void>;
  addInitScript(script: string): Promise<void>;
  workers(): { evaluate<T>(run: string): Promise<T> }[];
  on(name: "console", hear: (message: { type(): string; text(): string }) => void): void;
  on(name: "pageerror", hear: (error: Error) => void): void;
  on(name: "request", hear: (request: { url(): string }) => void): void;
  setDefaultTimeout(milliseconds: number): void;
}

interface Browser {
  newPage(options: Record<string, unknown>): Promise<Page>;
  close(): Promise<void>;
}

interface Playwright {
  chromium: { launch(options: Record<string, unknown>): Promise<Browser> };
}

/** The version that the lock has. */
const playwright = "npm:playwright-core@1.65.1";
const axe = "npm:axe-core@4.14.1";

/** Longest wait for anything, many times what a slow machine needs. */
const patience = 120_000;

/** Puts the engine's device within a test's reach, as `device`. */
const prelude = `
const ask = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...args) {
  return self.device = await ask.apply(this, args);
};
`;

/** The site, open in a browser. */
export interface Site extends AsyncDisposable {
  page: Page;
  address: string;
  /** What went wrong in the page, and what it asked other hosts for. */
  complaints: string[];
  /** Has the server answer nothing any more; what it is asked for comes into the list that this gives. */
  unplug(): string[];
}

/** How it is opened. */
export interface Opening {
  /** Runs before the page's script, and before the engine's. */
  before?: string;
  /** Served in place of the site's own files, or beside them. */
  files?: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  width?: number;
  height?: number;
  /** What is in the address behind the #. */
  hash?: string;
  /** Whether it may keep itself for when there is no network. */
  offline?: boolean;
}

/** Serves the site and opens it. @throws Error where there is no Chromium. */
export async function openSite(
  { before = "", files, width = 1280, height = 900, hash = "", offline = false }: Opening = {},
): Promise<Site> {
  const own = await siteFiles();
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  own.set("engine.js", encoder.encode(before + prelude + decoder.decode(own.get("engine.js"))));
  for (const [path, bytes] of files ?? []) own.set(path, bytes);
  await using stack = new AsyncDisposableStack();
  let unanswered: string[] | undefined;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = new URL(request.url).pathname.slice(1) || "index.html";
    const bytes = own.get(path);
    if (unanswered?.push(path)) return new Response(null, { status: 503 });
    return new Response(bytes, { status: bytes ? 200 : 404, headers: { "content-type": typeOf(path) } });
  });
  stack.defer(() => server.shutdown());
  const { chromium } = await import(playwright) as Playwright;
  const browser = await chromium.launch({
    executablePath: Deno.env.get("CHROME_PATH") || "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
      // A camera that needs nobody's leave.
      ...["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    ],
  });
  stack.defer(() => browser.close());
  const serviceWorkers = offline ? "allow" : "block";
  const page = await browser.newPage({ viewport: { width, height }, serviceWorkers, acceptDownloads: true });
  page.setDefaultTimeout(patience);
  const address = `http://127.0.0.1:${server.addr.port}/`;
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => void complaints.push(error.message));
  page.on("request", (request) => {
    if (!/^(blob:)?http:\/\/127\.0\.0\.1:/.test(request.url())) complaints.push(request.url());
  });
  if (before !== "") await page.addInitScript(before);
  await page.goto(address + hash);
  const open = stack.move();
  const unplug = () => unanswered ??= [];
  return { page, address, complaints, unplug, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Waits until what is read is as wanted. @throws Error with what was read last. */
export async function until<T>(read: () => Promise<T>, wanted: (value: T) => boolean, within = patience): Promise<T> {
  for (const start = performance.now();;) {
    const value = await read();
    if (wanted(value)) return value;
    if (performance.now() - start > within) throw new Error(`after ${within} ms it was still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The iteration that is shown; 0 before there is one. */
export const iterationOf = async (page: Page): Promise<number> =>
  parseInt(await page.locator(".count").textContent() ?? "") || 0;

/** What axe-core finds seriously wrong for who hears a page or has no mouse, in a line each. */
export async function accessFaults(page: Page): Promise<string[]> {
  const { default: { source } } = await import(axe) as { default: { source: string } };
  await page.evaluate(`${source}; undefined`);
  const { violations } = await page.evaluate<
    { violations: { id: string; impact: string; nodes: { html: string }[] }[] }
  >(
    "axe.run()",
  );
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes: [{ html }] }) => `${id}: ${html}`);
}
