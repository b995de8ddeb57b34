/**
 * zip archives: files, each behind a header of 30 bytes and two texts; then the directory, whose end is marked in the last
 * 64 KiB.
 *
 *     end        0x06054b50, directory's size 12, its offset 16
 *     directory  0x02014b50, method 10, CRC-32 16, packed size 20, unpacked 24, texts' lengths 28, 30, 32, file's offset 42, name 46
 *
 * Beyond 4 GiB (zip64) a number there is 0xffffffff, and the real one, of 64 bits, is elsewhere: of the directory in another end,
 * 20 bytes before the end is where that is; of a file in the second text, in a field 1.
 *
 *     other end  0x06064b50, directory's size 40, its offset 48
 *     field      number 0, length 2, then unpacked size, packed size and offset, those that are needed
 *
 * Nothing is whole in memory but the directory; files come in small pieces and are checked by their size and CRC-32.
 */
import { crc32 } from "./crc32.ts";
import { inflate } from "./inflate.ts";

/** An archive, wherever it lies. */
export interface ZipSource {
  size: number;
  /** Bytes that are there: `from + length` is at most `size`. */
  read(from: number, length: number): Uint8Array;
}

/** A file of an archive, as the directory describes it. */
export interface ZipEntry {
  name: string;
  /** Unpacked bytes. */
  size: number;
  packed: number;
  method: number;
  crc: number;
  offset: number;
}

/** Bytes read at a time. */
const PIECE = 1 << 16;

/** The most bytes of a directory: hundreds of thousands of files. */
const mostDirectory = 1 << 24;

/** What stands for a number that is elsewhere. */
const elsewhere = 0xffffffff;

const damaged = () => new Error("it is damaged, or no zip archive");

/** The files of an archive, folders left out. Throws Error where it is damaged. */
export function* zipEntries(source: ZipSource): Generator<ZipEntry> {
  const tail = view(source, Math.max(0, source.size - PIECE), Math.min(source.size, PIECE));
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw damaged();
  const [length, start] = tail.getUint32(end + 16, true) === elsewhere
    ? otherEnd(source, source.size - tail.byteLength + end)
    : [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (length > mostDirectory) throw damaged();
  const directory = view(source, start, length);
  const u16 = (at: number) => directory.getUint16(at, true);
  const u32 = (at: number) => directory.getUint32(at, true);
  for (let at = 0; at < length; at += 46 + u16(at + 28) + u16(at + 30) + u16(at + 32)) {
    if (at + 46 > length || u32(at) !== 0x02014b50 || at + 46 + u16(at + 28) > length) throw damaged();
    const name = new TextDecoder().decode(
      new Uint8Array(directory.buffer, directory.byteOffset + at + 46, u16(at + 28)),
    );
    if (name.endsWith("/")) continue;
    const field = longField(directory, at + 46 + u16(at + 28), u16(at + 30));
    // In this order the field has those that are elsewhere.
    const [size, packed, offset] = [24, 20, 42].map((place) => {
      const value = u32(at + place);
      if (value !== elsewhere) return value;
      const { value: long } = field.next();
      if (long === undefined) throw damaged();
      return long;
    });
    yield { name, size, packed, method: u16(at + 10), crc: u32(at + 16), offset };
  }
}

/** The directory's size and offset in an archive of more than 4 GiB, whose end is at this place. */
function otherEnd(source: ZipSource, end: number): [number, number] {
  if (end < 20) throw damaged();
  const other = view(source, long(view(source, end - 20, 20), 8), 56);
  if (other.getUint32(0, true) !== 0x06064b50) throw damaged();
  return [long(other, 40), long(other, 48)];
}

/** The long numbers of a file, one after the other, in its second text. */
function* longField(directory: DataView, start: number, length: number): Generator<number, undefined> {
  if (start + length > directory.byteLength) throw damaged();
  for (let at = start; at + 4 <= start + length;) {
    const end = at + 4 + directory.getUint16(at + 2, true);
    if (directory.getUint16(at, true) === 1) {
      for (let place = at + 4; place + 8 <= Math.min(end, start + length); place += 8) yield long(directory, place);
    }
    at = end;
  }
}

const long = (bytes: DataView, at: number): number => Number(bytes.getBigUint64(at, true));

/** Where the bytes of a file begin that is stored as it is; undefined where it is packed. Throws Error where it is damaged. */
export function storedAt(source: ZipSource, { method, packed, size, offset }: ZipEntry): number | undefined {
  if (method !== 0) return undefined;
  const start = contentAt(source, offset);
  if (start + packed > source.size || packed !== size) throw damaged();
  return start;
}

/** Where what a file holds begins, behind its header. */
function contentAt(source: ZipSource, offset: number): number {
  const header = view(source, offset, 30);
  return offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
}

/** The bytes of a file, piece by piece, each there until the next is asked for. Throws Error where they are not those that the directory describes. */
export async function* unpack(source: ZipSource, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const { packed, method, offset } = entry;
  const start = contentAt(source, offset);
  if (method !== 0 && method !== 8) throw new Error(`${entry.name} is packed in a way that is not known`);
  if (start + packed > source.size || method === 0 && packed !== entry.size) throw damaged();
  const stored = function* () {
    for (let done = 0; done < packed; done += PIECE) yield source.read(start + done, Math.min(PIECE, packed - done));
  };
  let sum = 0;
  let size = 0;
  for await (const piece of method === 8 ? inflate(stored(), "deflate-raw", entry.size) : stored()) {
    sum = crc32(piece, sum);
    size += piece.length;
    yield piece;
  }
  if (sum !== entry.crc || size !== entry.size) throw new Error(`the checksum of ${entry.name} is not right`);
}

function view(source: ZipSource, from: number, length: number): DataView {
  if (from + length > source.size) throw damaged();
  const bytes = source.read(from, length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
