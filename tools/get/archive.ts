/**
 * Files out of a .zip or .tar.gz archive, checked by the archive's own checksums. Neither the archive nor a file is ever
 * whole in memory.
 */
import { dirname } from "node:path";
import { readHead, reasonOf, zipSource } from "../../src/cli/files.ts";
import { place } from "../../src/cli/outputs/place.ts";
import { Temporary } from "../../src/cli/outputs/temporary.ts";
import { inflate } from "../../src/formats/inflate.ts";
import { refuseOthers } from "../../src/formats/kinds.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { unpack, zipEntries } from "../../src/formats/zip.ts";

/** The most bytes that one unpacked file may have: far above any network's, far below a disk's. */
const mostBytes = 2 ** 32;

/** Takes the pieces of one file. `end` is called once all of them have come. */
interface Sink {
  write(piece: Uint8Array): void;
  end(): void;
}

/**
 * Unpacks the wanted files; of two that fit, the first counts.
 * @param wanted Where each goes, by the end of its path in the archive: `fc6/generator.prototxt`.
 * @throws UserError where the archive is damaged or lacks one; nothing half-written is left then.
 */
export async function extract(archive: string, wanted: ReadonlyMap<string, string>): Promise<void> {
  const missing = new Map(wanted);
  const drafts = new Set<Temporary>();
  const seen: string[] = [];
  const take = (name: string): Sink | undefined => {
    if (seen.length < 40) seen.push(name);
    const [entry, path] = [...missing].find(([end]) => `/${name}`.endsWith(`/${end}`)) ?? [];
    if (entry === undefined || path === undefined) return undefined;
    missing.delete(entry);
    const draft = Temporary.in(dirname(path));
    drafts.add(draft);
    let bytes = 0;
    return {
      write(piece) {
        if ((bytes += piece.length) > mostBytes) throw new UserError(`${archive}: ${name} is too large`);
        draft.write(piece);
      },
      end() {
        draft.flush();
        place(draft, path, { force: true, name: path, alone: true });
        draft[Symbol.dispose]();
        drafts.delete(draft);
      },
    };
  };
  try {
    refuseOthers(readHead(archive), archive, "the archive that was expected", "zip", "gzip");
    if (archive.endsWith(".zip")) await unzip(archive, take);
    else await untar(gunzip(archive), archive, take);
    if (drafts.size > 0) throw new UserError(`${archive} is damaged: it ends inside a file`);
  } catch (error) {
    for (const draft of drafts) draft[Symbol.dispose]();
    if (error instanceof UserError) throw error;
    throw new UserError(`${archive} cannot be unpacked: ${reasonOf(error)}`);
  }
  const [lacking] = missing.keys();
  if (lacking !== undefined) {
    throw new UserError(`${archive} has no ${lacking}; it has ${seen.join(", ") || "nothing"}`);
  }
}

/** Bytes that the smallest archive may unpack to, and what each of its bytes adds: weights hardly shrink. */
const mostUnpacked = 2 ** 26;
const mostGrowth = 16;

async function unzip(archive: string, take: (name: string) => Sink | undefined): Promise<void> {
  using file = Deno.openSync(archive);
  const source = zipSource(file);
  for (const entry of zipEntries(source)) {
    const sink = take(entry.name);
    if (!sink) continue;
    if (entry.size > mostUnpacked + mostGrowth * entry.packed) {
      throw new UserError(`${archive}: ${entry.name} unpacks to ${entry.size} bytes, which no such file has`);
    }
    for await (const piece of unpack(source, entry)) sink.write(piece);
    sink.end();
  }
}

/** The bytes that a .gz holds. */
async function* gunzip(archive: string): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(archive);
  const read = async function* () {
    for (;;) {
      const piece = new Uint8Array(1 << 16);
      const count = await file.read(piece);
      if (count === null) return;
      yield piece.subarray(0, count);
    }
  };
  yield* inflate(read(), "gzip", mostUnpacked + mostGrowth * file.statSync().size);
}

/** Bytes of a tar header, and of what everything is padded to. */
const block = 512;

/**
 * tar: a header of 512 bytes (name 0 … 99, size in octal 124 … 135, checksum 148 … 155, kind 156, the name's beginning
 * 345 … 499), then the content, padded to 512.
 */
async function untar(
  pieces: AsyncIterable<Uint8Array>,
  archive: string,
  take: (name: string) => Sink | undefined,
): Promise<void> {
  const header = new Uint8Array(block);
  let filled = 0;
  let left = 0;
  let padding = 0;
  let sink: Sink | undefined;
  let ended = false;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length && !ended;) {
      if (left > 0) {
        const content = piece.subarray(at, at + left);
        sink?.write(content);
        at += content.length;
        if ((left -= content.length) === 0) sink?.end();
      } else if (padding > 0) {
        const skipped = Math.min(padding, piece.length - at);
        at += skipped;
        padding -= skipped;
      } else {
        const part = piece.subarray(at, at + block - filled);
        header.set(part, filled);
        at += part.length;
        filled = (filled + part.length) % block;
        if (filled > 0) continue;
        if (header.every((byte) => byte === 0)) {
          ended = true; // what follows is only read for the archive's checksum
          break;
        }
        const { name, size, isFile } = readHeader(header, archive);
        sink = isFile ? take(name) : undefined;
        [left, padding] = [size, (block - size % block) % block];
        if (left === 0) sink?.end();
      }
    }
  }
}

function readHeader(header: Uint8Array, archive: string): { name: string; size: number; isFile: boolean } {
  const text = (from: number, to: number) => new TextDecoder().decode(header.subarray(from, to)).split("\0")[0];
  const number = (from: number, to: number) => parseInt(text(from, to).trim() || "0", 8);
  const sum = header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
  const size = number(124, 136);
  const kind = text(156, 157);
  if (sum !== number(148, 156) || !(size >= 0)) throw new UserError(`${archive} is damaged, or no tar archive`);
  const start = text(257, 262) === "ustar" ? text(345, 500) : "";
  return { name: start ? `${start}/${text(0, 100)}` : text(0, 100), size, isFile: kind === "" || kind === "0" };
}
