/**
 * A page in a browser that does what a test asks for: page.html, served from here, and a socket between the two.
 */
import { join } from "node:path";
import { openChromium } from "./chromium.ts";

/** The project's folder, whose files are served. */
export const root = join(import.meta.dirname!, "../..");

/** Longest wait for an answer in milliseconds: many times what a slow machine needs. */
const patience = 200_000;

/** An open page. */
export interface Page extends AsyncDisposable {
  /**
   * Has the page do a job of page.html; typed arrays come back as arrays of strings.
   * @throws Error with what the page threw, or when the browser ends or is silent for minutes.
   */
  ask<Result>(kind: string, job?: Record<string, unknown>): Promise<Result>;
}

/**
 * Opens the page.
 * @param files Served at these paths, beside the files of the repository.
 */
export async function openPage(files: ReadonlyMap<string, string | Uint8Array>): Promise<Page> {
  const connected = Promise.withResolvers<WebSocket>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = decodeURI(new URL(request.url).pathname);
    if (path === "/socket") {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => connected.resolve(socket);
      return response;
    }
    const body = files.get(path) ?? await Deno.readFile(join(root, path)).catch(() => undefined);
    const type = { js: "text/javascript", html: "text/html" }[path.split(".").at(-1)!] ?? "application/octet-stream";
    return new Response(body as BodyInit, { status: body ? 200 : 404, headers: { "content-type": type } });
  });
  const profile = await Deno.makeTempDir({ dir: join(root, "dist"), prefix: "chromium-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => server.shutdown());
  stack.defer(() => Deno.remove(profile, { recursive: true }));
  const browser = stack.use(openChromium(`http://127.0.0.1:${server.addr.port}/tests/browser/page.html`, profile));

  /** What comes, unless the browser ends before it or it takes too long. */
  const orEnd = async <T>(what: string, promise: Promise<T>): Promise<T> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`${what}: no answer in ${patience / 1000} s`)), patience);
    browser.ended.then((words) => reject(new Error(`${what}: ${words}`)));
    return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };

  const socket = await orEnd("opening the page", connected.promise);
  stack.defer(() => socket.close());
  const open = stack.move();
  return {
    async ask(kind, job) {
      const answer = Promise.withResolvers<string>();
      socket.onmessage = ({ data }) => answer.resolve(data);
      socket.send(JSON.stringify({ kind, ...job }));
      const { result, error } = JSON.parse(await orEnd(kind, answer.promise));
      if (error) throw new Error(`in the page: ${error}`);
      return result;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
