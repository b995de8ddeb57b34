/**
 * One file over HTTP, whole or not at all.
 *
 *     NAME.part       what has come so far
 *     NAME.part.tag   the address of what it is a part of, and its ETag (or date)
 *     NAME.from       the address of what has come wholly, and cannot be checked
 *
 * A transfer that breaks off, stalls, trickles or meets a failing server is tried again from where it stopped: `Range` with
 * `If-Range`, so that a file that has changed meanwhile starts anew. NAME appears once everything is there and its hash
 * is right. What came from one address is never taken for what another has, unless a hash says that it is.
 */
import { reasonOf } from "../../src/cli/files.ts";
import { lstatOf } from "../../src/cli/outputs/temporary.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { discard, flush, hashOf, onDisk, readTag, readText, sizeOf, tagOf } from "./parts.ts";

/** What to fetch. */
export interface Download {
  url: string;
  /** Where it goes. */
  path: string;
  /** In hexadecimal; unchecked where nobody publishes one. */
  sha1?: string;
  /** Hosts, with their ports if they have any, that redirects may lead to beside the address's own. */
  hosts?: readonly string[];
  /** The most bytes that it may have. */
  most: number;
  /** Milliseconds without a byte after which a transfer is tried again. */
  stall: number;
  /** Bytes a second, over twice the time of `stall`, below which it is tried again too; 1024 unless given. */
  pace?: number;
  /** Failures in a row, without a mebibyte in between, after which it is given up. */
  tries: number;
  /** Milliseconds before the second try; they double from try to try. */
  pause: number;
  /** Told of every piece; `total` is absent where the server does not say. */
  onProgress?: (done: number, total?: number) => void;
  /** Told why a transfer is tried again. */
  onRetry?: (reason: string) => void;
}

/** A failure that may not come again. */
class Broken extends Error {}

/** What fetch says before the reason. */
const sending = /^error sending request for url \([^)]*\): /;

/** Bytes after which earlier failures are forgiven. */
const forgiven = 2 ** 20;

/**
 * Fetches a file; one that is there already, and right, is left as it is.
 * @throws UserError in one sentence; what has come so far stays for the next time unless it is wrong.
 */
export async function download(file: Download): Promise<void> {
  const { url, path, sha1, tries, pause } = file;
  const part = `${path}.part`;
  const from = `${path}.from`;
  checkAddress(file, new URL(url));
  for (const each of [path, part, from, tagOf(part)]) {
    if (lstatOf(each)?.isSymlink) throw new UserError(`${each} is a symbolic link, which is not followed; remove it`);
  }
  if (sizeOf(path) > 0 && (sha1 ? await hashOf(path) === sha1 : readText(from) === url)) return;
  let failures = 0;
  for (let whole = false; !whole;) {
    const before = sizeOf(part);
    try {
      await transfer(file, part);
      whole = true;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      failures = sizeOf(part) >= before + forgiven ? 1 : failures + 1;
      if (failures >= tries) {
        if (sizeOf(part) === 0) discard(part);
        throw new UserError(`${url} cannot be fetched: ${error.message}`);
      }
      file.onRetry?.(error.message);
      await new Promise((done) => setTimeout(done, pause * 2 ** (failures - 1)));
    }
  }
  const found = sha1 && await hashOf(part);
  if (found !== sha1) {
    discard(part);
    throw new UserError(`${url} is not the file that was published: its SHA-1 is ${found}, expected ${sha1}`);
  }
  onDisk(path, () => {
    flush(part);
    Deno.renameSync(part, path);
  });
  discard(part);
  if (!sha1) onDisk(from, () => Deno.writeTextFileSync(from, url));
}

/**
 * Fetches a file from the first of several addresses that has it.
 * @param onFailure Told why one failed, and the next one.
 * @throws UserError that names each address and why it failed; what has come so far of the last stays for the next time.
 */
export async function downloadFirst(
  urls: readonly string[],
  file: Omit<Download, "url">,
  onFailure: (reason: string, next: string) => void,
): Promise<void> {
  const failures: string[] = [];
  for (const [n, url] of urls.entries()) {
    try {
      return await download({ ...file, url });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(error.message);
      if (n + 1 < urls.length) onFailure(error.message, urls[n + 1]);
    }
  }
  throw new UserError(failures.join("; "));
}

/** Redirects that are followed, one after the other. */
const mostRedirects = 5;

/** @throws UserError unless a file may come from this address: over https, or over http where a hash tells or nobody is between. */
function checkAddress({ url, sha1, hosts = [] }: Download, address: URL): void {
  const own = new URL(url);
  const here = ["127.0.0.1", "localhost", "[::1]"].includes(address.hostname);
  if (address.protocol !== "https:" && !(address.protocol === "http:" && (sha1 || here))) {
    const why = address.protocol === "http:"
      ? "without encryption, and its hash is not known"
      : "which is no web address";
    throw new UserError(`${url} is not fetched from ${address.href.slice(0, 200)}: ${why}`);
  }
  if (address.host !== own.host && !hosts.includes(address.host)) {
    throw new UserError(`${url} is redirected to ${address.host}, which is not its publisher's`);
  }
}

/** Asks for a file, at the address that its own is redirected to if it is. */
async function ask(file: Download, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  let address = new URL(file.url);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const response = await fetch(address, { headers, signal, redirect: "manual" });
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = URL.parse(location, address);
    if (!next) throw new UserError(`${file.url} is redirected to what is no address`);
    checkAddress(file, next);
    address = next;
  }
  throw new UserError(`${file.url} is redirected more than ${mostRedirects} times`);
}

/** One attempt, from where the last one stopped. @throws Broken where another one may get further. */
async function transfer(file: Download, part: string): Promise<void> {
  const have = sizeOf(part);
  const tag = have > 0 ? readTag(file.url, part) : undefined;
  // Without a tag nobody knows what the part is a part of.
  const range: Record<string, string> = tag ? { range: `bytes=${have}-`, "if-range": tag } : {};
  const control = new AbortController();
  const network = async <T>(step: () => Promise<T>): Promise<T> => {
    const timer = setTimeout(() => control.abort(), file.stall);
    try {
      return await step();
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable || error instanceof UserError) throw error;
      const cause = (error as Error).cause ?? error; // "fetch failed" says nothing
      throw new Broken(
        control.signal.aborted ? `nothing came for ${file.stall / 1000} s` : reasonOf(cause).replace(sending, ""),
      );
    } finally {
      clearTimeout(timer);
    }
  };
  const headers = { "accept-encoding": "identity", ...range };
  const response = await network(() => ask(file, headers, control.signal));
  try {
    const start = startOf(file, response, part, tag ? have : 0);
    if (start) await append(file, response, part, start, network);
  } finally {
    control.abort();
  }
}

/** Where the answer's first byte belongs and how long the file is; nothing where all of it is here already. */
function startOf(
  { url, most }: Download,
  { status, headers }: Response,
  part: string,
  have: number,
): { from: number; total?: number } | undefined {
  const [, first, length] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (status === 416 && Number(length) === have) return undefined;
  if (status === 416 || status === 206 && Number(first) !== have) {
    discard(part);
    throw new Broken("the server answered with another part than was asked for");
  }
  if (status >= 500 || status === 408 || status === 429) throw new Broken(`the server answers with status ${status}`);
  if (status !== 200 && status !== 206) throw new UserError(`${url} cannot be fetched: status ${status}`);
  const encoded = !["identity", null].includes(headers.get("content-encoding"));
  const size = headers.get("content-length");
  const total = status === 206 ? Number(length) : size && !encoded ? Number(size) : undefined;
  if (total !== undefined && total > most) throw tooLarge(url, most, `${total}`);
  if (status === 206) return { from: have, total };
  discard(part);
  // A weak tag does not promise the same bytes.
  const tag = headers.get("etag")?.match(/^"[^"]*"$/)?.[0] ?? headers.get("last-modified");
  if (tag && !encoded) onDisk(part, () => Deno.writeTextFileSync(tagOf(part), `${url}\n${tag}`));
  return { from: 0, total };
}

/** Writes the body behind what is there. */
async function append(
  { url, most, stall, pace = 1024, onProgress }: Download,
  { body }: Response,
  part: string,
  { from, total }: { from: number; total?: number },
  network: <T>(step: () => Promise<T>) => Promise<T>,
): Promise<void> {
  using out = onDisk(part, () => Deno.openSync(part, { write: true, create: true, append: true }));
  const reader = body?.getReader();
  const window = 2 * stall;
  let done = from;
  let since = { at: performance.now(), done };
  for (;;) {
    const { value } = await network(async () => await reader?.read() ?? { value: undefined });
    if (!value) break;
    done += value.length;
    if (done > most) {
      discard(part);
      throw tooLarge(url, most, "more");
    }
    onDisk(part, () => {
      for (let at = 0; at < value.length;) at += out.writeSync(value.subarray(at));
    });
    onProgress?.(done, total);
    const took = performance.now() - since.at;
    if (took < window) continue;
    if (1000 * (done - since.done) < pace * took) {
      throw new Broken(`only ${done - since.done} bytes came in ${Math.round(took / 1000)} s`);
    }
    since = { at: performance.now(), done };
  }
  if (total !== undefined && done !== total) throw new Broken(`the transfer ended after ${done} of ${total} bytes`);
  if (done === 0) throw new Broken("the file is empty");
}

const tooLarge = (url: string, most: number, bytes: string) =>
  new UserError(`${url} has ${bytes} bytes, expected at most ${most}; it is not the file that was published`);
