/**
 * PNG's container: a signature, then chunks of length, type, data and CRC. Text chunks are read and written here, because
 * fast-png knows only the Latin-1 kind.
 */
import { joinBytes } from "./bytes.ts";
import { crc32 } from "./crc32.ts";
import { inflate } from "./inflate.ts";

/** A chunk: its four-letter type and its data. */
export interface Chunk {
  type: string;
  data: Uint8Array;
  /** Of one that was read: its checksum is wrong, and the pixels can be had without it. */
  damaged?: boolean;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Ends the texts of compressed chunks that only mean to fill memory. */
const maxTextBytes = 1 << 24;

/** Whether the bytes start as every PNG does. */
export const isPng = (bytes: Uint8Array): boolean => signature.every((byte, i) => bytes[i] === byte);

/** Whether the pixels cannot be had without a chunk. Critical ones begin with a capital, and tRNS says what is not seen. */
const makesPixels = (type: string): boolean => /^(?!IEND)[A-Z]|^tRNS$/.test(type);

/**
 * The chunks up to IEND, as views. Where the file ends behind its first pixels, in no chunk that makes them, that is the end.
 * Throws Error where it is truncated before, or the checksum of a chunk that makes the pixels is wrong.
 */
export function readChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let pixels = false;
  for (let at = signature.length; chunks.at(-1)?.type !== "IEND";) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 12 > bytes.length ? Infinity : at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) {
      if (pixels && !(type.length === 4 && makesPixels(type))) return chunks;
      throw new Error("it is truncated");
    }
    const damaged = view.getUint32(end) !== crc32(bytes.subarray(at + 4, end));
    if (damaged && makesPixels(type)) throw new Error("a checksum is wrong");
    chunks.push({ type, data: bytes.subarray(at + 8, end), damaged });
    pixels ||= type === "IDAT";
    at = end + 4;
  }
  return chunks;
}

/** A PNG file of these chunks. */
export function writeChunks(chunks: Chunk[]): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(chunks.reduce((size, { data }) => size + 12 + data.length, signature.length));
  const view = new DataView(file.buffer);
  file.set(signature);
  let at = signature.length;
  for (const { type, data } of chunks) {
    view.setUint32(at, data.length);
    file.set([...type].map((letter) => letter.charCodeAt(0)), at + 4);
    file.set(data, at + 8);
    view.setUint32(at + 8 + data.length, crc32(file.subarray(at + 4, at + 8 + data.length)));
    at += 12 + data.length;
  }
  return file;
}

/** A text chunk per entry: tEXt, which every tool shows, where the value is ASCII, and iTXt (UTF-8) where it is not. */
export function textChunks(text: Record<string, string>): Chunk[] {
  const encoder = new TextEncoder();
  return Object.entries(text).map(([keyword, value]) => {
    if (!/^[!-~]([ -~]{0,77}[!-~])?$/.test(keyword)) {
      throw new RangeError(`PNG keyword "${keyword}": 1 to 79 ASCII characters expected, no space at either end`);
    }
    const ascii = /^[\n -~]*$/.test(value);
    return { type: ascii ? "tEXt" : "iTXt", data: encoder.encode(`${keyword}\0${ascii ? "" : "\0\0\0\0"}${value}`) };
  });
}

/**
 * The entries of all text chunks (tEXt, zTXt, iTXt), and whether some were lost: what is damaged or malformed is passed over,
 * for nothing that is seen hangs on it.
 */
export async function readText(chunks: Chunk[]): Promise<{ text: Record<string, string>; textLost: boolean }> {
  const entries: [string, string][] = [];
  const all = chunks.filter(({ type }) => /^(tEXt|zTXt|iTXt)$/.test(type));
  let left = maxTextBytes;
  for (const chunk of all) {
    const entry = chunk.damaged ? undefined : await textEntry(chunk, left).catch(() => undefined);
    if (!entry) continue;
    left -= entry.value.length;
    entries.push([entry.keyword, (chunk.type === "iTXt" ? utf8 : latin1).decode(entry.value)]);
  }
  return { text: Object.fromEntries(entries), textLost: entries.length < all.length };
}

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** A text chunk's keyword and value. Throws Error where it is malformed, or inflates to more than `most` bytes. */
async function textEntry({ type, data }: Chunk, most: number): Promise<{ keyword: string; value: Uint8Array }> {
  const keyEnd = data.indexOf(0);
  if (keyEnd < 1) throw new Error("it has no keyword");
  let start = keyEnd + (type === "tEXt" ? 1 : 2);
  const compressed = type === "zTXt" || type === "iTXt" && data[keyEnd + 1] === 1;
  if (type === "iTXt") { // keyword 0 flag method language 0 translated-keyword 0 text
    const languageEnd = data.indexOf(0, keyEnd + 3);
    start = data.indexOf(0, languageEnd + 1) + 1;
    if (languageEnd < 0 || start === 0) throw new Error("it is cut short");
  }
  const stored = data.subarray(start);
  return {
    keyword: latin1.decode(data.subarray(0, keyEnd)),
    value: compressed
      ? joinBytes(await Array.fromAsync(inflate([stored], "deflate", most), (piece) => piece.slice()))
      : stored,
  };
}
