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
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Ends the texts of compressed chunks that only mean to fill memory. */
const maxTextBytes = 1 << 24;

/** Whether the bytes start as every PNG does. */
export const isPng = (bytes: Uint8Array): boolean => signature.every((byte, i) => bytes[i] === byte);

/** The chunks up to IEND, as views. Throws Error where the file is truncated or a CRC is wrong. */
export function readChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = signature.length; chunks.at(-1)?.type !== "IEND";) {
    if (at + 12 > bytes.length) throw new Error("it is truncated");
    const end = at + 8 + view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (end + 4 > bytes.length) throw new Error("it is truncated");
    if (view.getUint32(end) !== crc32(bytes.subarray(at + 4, end))) throw new Error("a checksum is wrong");
    chunks.push({ type, data: bytes.subarray(at + 8, end) });
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

/** The entries of all text chunks (tEXt, zTXt, iTXt). Throws Error where one is malformed. */
export async function readText(chunks: Chunk[]): Promise<Record<string, string>> {
  const latin1 = new TextDecoder("latin1");
  const entries: [string, string][] = [];
  let left = maxTextBytes;
  for (const { type, data } of chunks.filter(({ type }) => /^(t|z|i)(EXt|TXt)$/.test(type))) {
    const keyEnd = data.indexOf(0);
    if (keyEnd < 1) throw new Error("a text chunk has no keyword");
    let start = keyEnd + (type === "tEXt" ? 1 : 2);
    const compressed = type === "zTXt" || (type === "iTXt" && data[keyEnd + 1] === 1);
    if (type === "iTXt") { // keyword 0 flag method language 0 translated-keyword 0 text
      const languageEnd = data.indexOf(0, keyEnd + 3);
      start = data.indexOf(0, languageEnd + 1) + 1;
      if (languageEnd < 0 || start === 0) throw new Error("a text chunk is cut short");
    }
    const stored = data.subarray(start);
    const value = compressed ? joinBytes(await Array.fromAsync(inflate([stored], "deflate", left))) : stored;
    if (compressed) left -= value.length;
    entries.push([
      latin1.decode(data.subarray(0, keyEnd)),
      (type === "iTXt" ? new TextDecoder() : latin1).decode(value),
    ]);
  }
  return Object.fromEntries(entries);
}
