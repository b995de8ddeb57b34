/** Transfers that go wrong: what arrives is the whole file or nothing. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { UserError } from "../../../src/formats/user_error.ts";
import { fetchFile } from "../../../src/net/fetch_files.ts";
import { fetchModel } from "../../../src/net/model.ts";
import { type Download, download, downloadFirst } from "../../../tools/get/download.ts";
import { namesIn, temporaryFolder } from "../../cli/user.ts";
import { type Behaviour, serve, type Server } from "./server.ts";

const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * seed * 2654435761) >>> 13);
const file = bytes(50_000);
const other = bytes(60_000, 7);
const sha1 = createHash("sha1").update(file).digest("hex");

/** Fetches from a server that behaves so. Only where it stalls on purpose a busy machine may not be slow for a moment. */
async function fetched(behaviours: Behaviour[], options: Partial<Download> = {}, start: Record<string, string> = {}) {
  const folder = temporaryFolder();
  const path = join(folder.path, "f");
  const retries: string[] = [];
  for (const [name, text] of Object.entries(start)) Deno.writeTextFileSync(join(folder.path, name), text);
  await using server = serve(file, behaviours);
  const stall = behaviours.some(({ stallAfter }) => stallAfter !== undefined) ? 150 : 60_000;
  const how = { path, sha1, most: 100_000, stall, tries: 3, pause: 1, ...options };
  const failure = await download({ url: `${server.url}f`, onRetry: (reason) => retries.push(reason), ...how })
    .then(() => undefined, (error) => error as Error);
  const names = namesIn(folder.path);
  const got = names.includes("f") ? Deno.readFileSync(path) : undefined;
  folder[Symbol.dispose]();
  return { failure, got, names, retries, ranges: server.ranges };
}

const good: [name: string, behaviours: Behaviour[], ranges: string[], retries: RegExp[]][] = [
  ["without any trouble", [], [""], []],
  ["in slow pieces", [{ pieces: 20 }], [""], []],
  ["of unknown length", [{ unsized: true }], [""], []],
  ["from a server that fails twice", [{ status: 503 }, { status: 500 }], ["", "", ""], [/status 503/, /status 500/]],
  ["from a busy server", [{ status: 429 }], ["", ""], [/status 429/]],
  ["cut off: it goes on where it was", [{ cutAfter: 20_000 }], ["", "bytes=20000-"], [/./]],
  ["cut off twice", [{ cutAfter: 20_000 }, { cutAfter: 9_000 }], ["", "bytes=20000-", "bytes=29000-"], [/./, /./]],
  ["stalled: it goes on where it was", [{ stallAfter: 7_000 }], ["", "bytes=7000-"], [/nothing came for 0.15 s/]],
  ["cut off, without a tag: from the start", [{ cutAfter: 20_000, untagged: true }], ["", ""], [/./]],
  ["cut off, then sent wholly", [{ cutAfter: 20_000 }, { wholly: true }], ["", "bytes=20000-"], [/./]],
  ["cut off, then another part", [{ cutAfter: 20_000 }, { shifted: 5 }], ["", "bytes=20000-", ""], [
    /./,
    /another part/,
  ]],
  ["changed meanwhile: from the start", [{ content: other, cutAfter: 20_000 }, { content: file }], [
    "",
    "bytes=20000-",
  ], [/./]],
];

for (const [name, behaviours, ranges, retries] of good) {
  Deno.test(`download: ${name}`, async () => {
    const run = await fetched(behaviours);
    assert.equal(run.failure, undefined);
    assert.deepEqual(run.got, file);
    assert.deepEqual([run.names, run.ranges], [["f"], ranges]);
    assert.equal(run.retries.length, retries.length, run.retries.join());
    retries.forEach((retry, i) => assert.match(run.retries[i], retry));
  });
}

const bad: [name: string, behaviours: Behaviour[], options: Partial<Download>, message: RegExp, names: string[]][] = [
  ["not there", [{ status: 404 }], {}, /\/f cannot be fetched: status 404$/, []],
  ["a server that never works", Array(3).fill({ status: 502 }), {}, /cannot be fetched: .*status 502$/, []],
  ["it trickles", Array(3).fill({ pieces: 5000 }), { pace: 50_000, stall: 150 }, /only \d+ bytes came in \d+ s$/, [
    "f.part",
    "f.part.tag",
  ]],
  ["it stalls again and again", Array(3).fill({ stallAfter: 0 }), {}, /nothing came for 0.15 s$/, []],
  ["the wrong file", [{ content: other }], {}, /is not the file that was published: its SHA-1 is \w{40}, exp/, []],
  ["too long, as it says", [], { most: 49_999 }, /has 50000 bytes, expected at most 49999/, []],
  ["too long, as it turns out", [{ unsized: true }], { most: 49_999 }, /has more bytes, expected at most 49999/, []],
  ["empty", Array(3).fill({ content: new Uint8Array(0) }), {}, /the file is empty/, []],
];

for (const [name, behaviours, options, message, names] of bad) {
  Deno.test(`download: ${name}`, async () => {
    const { failure, ...run } = await fetched(behaviours, options);
    assert.ok(failure instanceof UserError, failure?.stack);
    assert.match(failure.message, message);
    assert.deepEqual(run.names, names);
  });
}

Deno.test("download: nobody listens", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "f");
  const how = { path, most: 10, stall: 1000, tries: 2, pause: 1 };
  await assert.rejects(() => download({ url: "http://127.0.0.1:9/f", ...how }), UserError);
  assert.deepEqual(namesIn(folder.path), []);
  folder[Symbol.dispose]();
});

Deno.test("download: what an earlier run left", async () => {
  const unknown = await fetched([], { sha1: undefined }, { f: "mine" });
  assert.deepEqual([unknown.ranges, unknown.got, unknown.names], [[""], file, ["f", "f.from"]]);
  const wrong = await fetched([], {}, { f: "not what was published" });
  assert.deepEqual([wrong.got, wrong.names], [file, ["f"]]);
  const stranger = await fetched([], {}, { "f.part": "other", "f.part.tag": '"other"' });
  assert.deepEqual([stranger.got, stranger.ranges], [file, [""]]);
});

Deno.test("download: what came from one address is not taken for what another has, unless its hash says that it is", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "f");
  const how = { path, most: 100_000, stall: 500, tries: 1, pause: 1 };
  await using a = serve(file);
  await using b = serve(other);
  await using broken = serve(file, [{ cutAfter: 20_000 }]);
  const from = async (server: Server, known?: string) => {
    const failure = await download({ url: `${server.url}f`, sha1: known, ...how }).catch((error) => error);
    return [failure instanceof UserError, server.ranges.length];
  };
  assert.deepEqual(await from(a), [false, 1]);
  assert.deepEqual(await from(a), [false, 1], "it was there");
  assert.deepEqual([await from(b), Deno.readFileSync(path)], [[false, 1], other]);
  assert.deepEqual([await from(a, sha1), Deno.readFileSync(path)], [[false, 2], file]);
  assert.deepEqual([await from(b, sha1), b.ranges.length], [[false, 1], 1]);
  Deno.removeSync(path);
  assert.deepEqual(await from(broken), [true, 1]);
  assert.deepEqual([await from(b), b.ranges.at(-1), Deno.readFileSync(path)], [[false, 2], "", other]);
  folder[Symbol.dispose]();
});

Deno.test("download: of several addresses the first that has the file; each that fails is named", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "f");
  const how = { path, sha1, most: 100_000, stall: 500, tries: 1, pause: 1 };
  await using gone = serve(file, Array(9).fill({ status: 404 }));
  await using wrong = serve(other);
  await using right = serve(file);
  const told: string[] = [];
  const from = (...servers: Server[]) =>
    downloadFirst(servers.map(({ url }) => `${url}f`), how, (reason, next) => told.push(`${reason} > ${next}`));
  await from(gone, wrong, right);
  assert.deepEqual(Deno.readFileSync(path), file);
  assert.match(told[0], new RegExp(`^${gone.url}f cannot be fetched: status 404 > ${wrong.url}f$`));
  assert.match(told[1], new RegExp(`^${wrong.url}f is not the file that was published: .* > ${right.url}f$`));
  Deno.removeSync(path);
  await assert.rejects(
    () => from(gone, wrong),
    (error) =>
      error instanceof UserError &&
      new RegExp(`^${gone.url}f cannot .*; ${wrong.url}f is not the file .*, expected ${sha1}$`).test(error.message),
  );
  assert.deepEqual(namesIn(folder.path), []);
  folder[Symbol.dispose]();
});

Deno.test("download: only from where it is published, and unencrypted only with a hash", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "f");
  await using end = serve(file);
  await using elsewhere = serve(other);
  const redirecting = (location: string) => serve(file, Array(9).fill({ status: 302, location }));
  const fails = async (options: Partial<Download> & { url: string }, message: RegExp) => {
    const how = { path, most: 100_000, stall: 500, tries: 2, pause: 1, ...options };
    await assert.rejects(() => download(how), (error) => error instanceof UserError && message.test(error.message));
    assert.deepEqual(namesIn(folder.path), []);
  };
  await fails(
    { url: "http://example.org/f" },
    /^http:.*\/f is not fetched from http:.*\/f: without encryption, and its hash/,
  );
  await fails({ url: "ftp://example.org/f", sha1 }, /which is no web address$/);
  await using away = redirecting(`${elsewhere.url}f`);
  const host = new URL(elsewhere.url).host;
  await fails({ url: `${away.url}f`, sha1 }, new RegExp(`is redirected to ${host}, which is not its publisher's$`));
  assert.equal(elsewhere.ranges.length, 0);
  await using plain = redirecting("http://example.org/f");
  await fails({ url: `${plain.url}f`, hosts: ["example.org"] }, /without encryption/);
  await using round = redirecting("/g");
  await fails({ url: `${round.url}f`, sha1 }, /is redirected more than 5 times$/);
  await using named = redirecting(`${end.url}f`);
  const hosts = [new URL(end.url).host];
  await download({ url: `${named.url}f`, path, sha1, hosts, most: 100_000, stall: 500, tries: 1, pause: 1 });
  assert.deepEqual(Deno.readFileSync(path), file);
  folder[Symbol.dispose]();
});

Deno.test("download: everything had come, only the name was missing", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "f");
  await using server = serve(file, [{ cutAfter: 40_000 }]);
  const how = { url: `${server.url}f`, path, sha1, most: 100_000, stall: 500, pause: 1 };
  await assert.rejects(() => download({ ...how, tries: 1 }), UserError);
  assert.deepEqual(namesIn(folder.path), ["f.part", "f.part.tag"]);
  Deno.writeFileSync(`${path}.part`, file);
  await download({ ...how, tries: 1 });
  assert.deepEqual([server.ranges, Deno.readFileSync(path), namesIn(folder.path)], [["", "bytes=50000-"], file, ["f"]]);
  folder[Symbol.dispose]();
});

Deno.test("fetchModel: bodies that unpack to far more than they have bytes are refused", async () => {
  const content = gzipSync(new Uint8Array(2 ** 27).fill(32));
  await using server = serve(file, [{ content, encoding: "gzip" }, { content, encoding: "gzip" }]);
  await assert.rejects(
    fetchModel(server.url),
    /^UserError: .*\/network.json cannot be read: it has more than 33554432 bytes$/,
  );
});

Deno.test("fetchFile: what another host packed is not told to a page, and counts as packed", async () => {
  const body = new Uint8Array(2 ** 26 + 2 ** 20);
  const fetched = async (type: string, length: number) => {
    const headers = { "content-length": `${length}` };
    using _ = stub(Object.defineProperty(new Response(body, { headers }), "type", { value: type }));
    const told: unknown[] = [];
    const bytes = await fetchFile("https://example.org/weights", 2 ** 32, (...at) => told.push(at.at(-1)));
    return [bytes?.length, told.at(-1)];
  };
  assert.deepEqual(await fetched("basic", 9), [body.length, undefined]);
  assert.deepEqual(await fetched("cors", body.length), [body.length, body.length]);
  await assert.rejects(fetched("cors", 9), /it has more than 67109008 bytes/);
});

/** Has the next address that is fetched answer so. */
function stub(answer: Response): Disposable {
  const { fetch } = globalThis;
  globalThis.fetch = () => Promise.resolve(answer);
  return { [Symbol.dispose]: () => void (globalThis.fetch = fetch) };
}
