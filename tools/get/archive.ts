/**
 * Files out of a .zip or .tar.gz archive, checked by the archive's own checksums. Neither the archive nor a file is ever
 * whole in memory.
 */
import { crc32 } from "node:zlib";
import { dirname } from "node:path";
import { reasonOf } from "../../src/cli/files.ts";
import { place } from "../../src/cli/outputs/place.ts";
import { Temporary } from "../../src/cli/outputs/temporary.ts";
import { UserError } from "../../src/formats/user_error.ts";

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
  const missing = new Map(wanted), drafts = new Set<Temporary>(), seen: string[] = [];
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
    if (archive.endsWith(".zip")) await unzip(archive, take);
    else await untar((await Deno.open(archive)).readable.pipeThrough(new DecompressionStream("gzip")), archive, take);
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

/** Bytes read at a time. */
const PIECE = 1 << 16;

/**
 * zip: files, each behind a header of 30 bytes and two texts; then the directory, whose end is marked in the last 64 KiB.
 *
 *     end        0x06054b50, directory's size 12, its offset 16
 *     directory  0x02014b50, method 10, CRC-32 16, packed size 20, texts' lengths 28, 30, 32, file's offset 42, name 46
 */
async function unzip(archive: string, take: (name: string) => Sink | undefined): Promise<void> {
  using file = Deno.openSync(archive);
  const { size } = file.statSync(), damaged = new UserError(`${archive} is damaged, or no zip archive`);
  const read = (from: number, length: number): DataView => {
    const bytes = new Uint8Array(length);
    if (from < 0 || from + length > size) throw damaged;
    file.seekSync(from, Deno.SeekMode.Start);
    for (let at = 0, count; at < length; at += count) if (!(count = file.readSync(bytes.subarray(at)))) throw damaged;
    return new DataView(bytes.buffer);
  };
  const tail = read(Math.max(0, size - PIECE), Math.min(size, PIECE));
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw damaged;
  const length = tail.getUint32(end + 12, true);
  if (length > size) throw damaged;
  const directory = read(tail.getUint32(end + 16, true), length);
  const u16 = (at: number) => directory.getUint16(at, true), u32 = (at: number) => directory.getUint32(at, true);
  for (let at = 0; at < length; at += 46 + u16(at + 28) + u16(at + 30) + u16(at + 32)) {
    if (at + 46 + u16(at + 28) > length || u32(at) !== 0x02014b50) throw damaged;
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, u16(at + 28)));
    const sink = name.endsWith("/") ? undefined : take(name), method = u16(at + 10), offset = u32(at + 42);
    if (!sink) continue;
    const header = read(offset, 30), packed = u32(at + 20);
    const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    if (method !== 0 && method !== 8) throw new UserError(`${archive}: ${name} is packed in a way that is not known`);
    const pieces = function* () {
      for (let done = 0; done < packed; done += PIECE) {
        yield new Uint8Array(read(start + done, Math.min(PIECE, packed - done)).buffer as ArrayBuffer);
      }
    };
    const stream = ReadableStream.from(pieces());
    let sum = 0;
    for await (const piece of method === 8 ? stream.pipeThrough(new DecompressionStream("deflate-raw")) : stream) {
      sum = crc32(piece, sum);
      sink.write(piece);
    }
    if (sum !== u32(at + 16)) throw new UserError(`${archive} is damaged: the checksum of ${name} is not right`);
    sink.end();
  }
}

/** Bytes of a tar header, and of what everything is padded to. */
const block = 512;

/**
 * tar: a header of 512 bytes (name 0 … 99, size in octal 124 … 135, checksum 148 … 155, kind 156, the name's beginning
 * 345 … 499), then the content, padded to 512.
 */
async function untar(
  pieces: ReadableStream<Uint8Array>,
  archive: string,
  take: (name: string) => Sink | undefined,
): Promise<void> {
  const header = new Uint8Array(block);
  let filled = 0, left = 0, padding = 0, sink: Sink | undefined;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
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
        if (filled > 0 || header.every((byte) => byte === 0)) continue;
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
  const size = number(124, 136), kind = text(156, 157);
  if (sum !== number(148, 156) || !(size >= 0)) throw new UserError(`${archive} is damaged, or no tar archive`);
  const start = text(257, 262) === "ustar" ? text(345, 500) : "";
  return { name: start ? `${start}/${text(0, 100)}` : text(0, 100), size, isFile: kind === "" || kind === "0" };
}
