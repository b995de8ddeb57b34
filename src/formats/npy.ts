/**
 * NumPy's array files: .npy (one array) and .npz (a zip of them).
 *
 *     \x93NUMPY | version | u16 or u32 header length | a Python dict as text, padded | the elements
 *
 * Arrays come out in C order and native byte order whatever the file holds.
 */
import { refuseText } from "./kinds.ts";
import { fromHalves } from "./float16.ts";
import { giveBack } from "./bytes.ts";
import { valueCount } from "./shape.ts";
import { show, UserError } from "./user_error.ts";
import { unpack, zipEntries, type ZipEntry, type ZipSource } from "./zip.ts";

/** An array's elements; float16 widens to float32 and booleans are bytes of 0 and 1. */
export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** An array in C order. `dtype` is NumPy's code of the file's elements without the byte order: f4, u1, b1 … */
export interface NpyArray {
  shape: number[];
  dtype: string;
  data: NpyData;
}

const elements = {
  f2: Uint16Array,
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  b1: Uint8Array,
};

/** Bytes that the smallest .npz may unpack to. */
const mostUnpacked = 2 ** 26;

/** Files of a .npz: more than any network has tensors. */
const mostFiles = 10_000;

/** Far more than the 64 dimensions of an array take. */
const maxHeaderBytes = 65_536;

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Reads a .npy file (format versions 1 to 3); `name` stands for it in errors. The elements may be a view of the file's bytes.
 * Throws UserError where it is malformed.
 */
export function readNpy(bytes: Uint8Array, name: string): NpyArray {
  const { dtype, bigEndian, fortran, shape, offset } = npyHeader(bytes, name);
  const Elements = elements[dtype];
  const count = valueCount(shape);
  const payload = bytes.subarray(offset);
  if (payload.length !== count * Elements.BYTES_PER_ELEMENT) {
    throw new UserError(
      `${name}: ${dtype} [${shape}] takes ${
        count * Elements.BYTES_PER_ELEMENT
      } bytes, the file holds ${payload.length}`,
    );
  }
  const own = bigEndian || payload.byteOffset % Elements.BYTES_PER_ELEMENT !== 0 ? payload.slice() : payload;
  if (bigEndian) swapBytes(own, Elements.BYTES_PER_ELEMENT);
  const stored = new Elements(own.buffer as ArrayBuffer, own.byteOffset, count);
  const data: NpyData = dtype === "f2" ? fromHalves(stored as Uint16Array) : stored;
  return { shape, dtype, data: fortran && shape.length > 1 ? toCOrder(data, shape) : data };
}

/** What a .npy file says before its elements, and the byte where these begin. */
export interface NpyHeader {
  shape: number[];
  dtype: keyof typeof elements;
  bigEndian: boolean;
  fortran: boolean;
  offset: number;
}

/** The header of a .npy file, of which the elements may be missing. @throws UserError where it is malformed. */
export function npyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const { header, offset } = splitHeader(bytes, name);
  return { ...parseHeader(header, name), offset };
}

/** An array's numbers as float32, the array itself where they are. (`Float32Array.from` would list them all first: no room.) */
export function asFloat32(data: NpyData): Float32Array<ArrayBuffer> {
  if (data instanceof Float32Array) return data as Float32Array<ArrayBuffer>;
  if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return new Float32Array(data);
  const numbers = new Float32Array(data.length);
  for (let n = 0; n < data.length; n++) numbers[n] = Number(data[n]);
  return numbers;
}

/** Writes a .npy file (version 1.0, little-endian, C order) whose element type is that of `data`. */
export function writeNpy({ shape, data }: { shape: number[]; data: NpyData }): Uint8Array {
  const count = valueCount(shape);
  if (count !== data.length) throw new RangeError(`[${shape}] has ${count} elements, got ${data.length}`);
  const [code] = Object.entries(elements).find(([code, Elements]) => code !== "f2" && data instanceof Elements)!;
  const descr = (data.BYTES_PER_ELEMENT === 1 ? "|" : "<") + code;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = Math.ceil((10 + dict.length + 1) / 64) * 64; // the elements start aligned, for readers that map the file
  const header = dict.padEnd(start - 11) + "\n";
  const file = new Uint8Array(start + data.byteLength);
  file.set([...magic, 1, 0, header.length & 255, header.length >> 8]);
  file.set(new TextEncoder().encode(header), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return file;
}

/**
 * Reads the arrays of a .npz file by name (without `.npy`); `name` stands for the file in errors.
 * Throws UserError where it is malformed, or would unpack to far more than a file of weights or pictures does.
 */
export async function readNpz(bytes: Uint8Array, name: string): Promise<Map<string, NpyArray>> {
  refuseText(bytes, name, "a .npz file", "npz", "zip");
  const source = { size: bytes.length, read: (from: number, length: number) => bytes.subarray(from, from + length) };
  // Checked before anything is unpacked, so that a small hostile file cannot ask for all the memory there is.
  const limit = mostUnpacked + 16 * bytes.length;
  const arrays = new Map<string, NpyArray>();
  try {
    const entries: ZipEntry[] = [];
    for (const entry of zipEntries(source)) {
      if (entries.push(entry) > mostFiles) throw new UserError(`${name} holds more than ${mostFiles} files`);
    }
    const unpacked = entries.reduce((sum, { size }) => sum + size, 0);
    // DEFLATE shrinks to a 1032nd at best.
    if (unpacked > limit || entries.some(({ size, packed }) => size > 1032 * packed)) {
      throw new UserError(`${name}: the zip directory gives sizes that no file of arrays has`);
    }
    for (const entry of entries) {
      const content = await contentOf(source, entry);
      const key = entry.name.replace(/\.npy$/, "");
      if (arrays.has(key)) throw new UserError(`${name} holds ${show(entry.name)} twice`);
      arrays.set(key, readNpy(content, `${name}: ${show(entry.name)}`));
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${name}: not a sound .npz (zip) file: ${(error as Error).message}`);
  }
  return arrays;
}

/** The bytes of a file in an archive. Throws Error where it is damaged; its memory is given back then, not at some collection. */
async function contentOf(source: ZipSource, entry: ZipEntry): Promise<Uint8Array> {
  const content = new Uint8Array(entry.size);
  let at = 0;
  try {
    for await (const piece of unpack(source, entry)) {
      content.set(piece, at);
      at += piece.length;
    }
    return content;
  } catch (error) {
    giveBack(content);
    throw error;
  }
}

function splitHeader(bytes: Uint8Array, name: string): { header: string; offset: number } {
  refuseText(bytes, name, "a .npy file", "npy");
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new UserError(`${name}: not a .npy file (it does not start with \\x93NUMPY)`);
  }
  const version = bytes[6];
  if (version < 1 || version > 3) throw new UserError(`${name}: .npy version ${version} is not 1, 2 or 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const start = version === 1 ? 10 : 12;
  const offset = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (offset > bytes.length) throw new UserError(`${name}: truncated inside the .npy header`);
  if (offset - start > maxHeaderBytes) throw new UserError(`${name}: a .npy header of ${offset - start} bytes`);
  return { header: new TextDecoder().decode(bytes.subarray(start, offset)), offset };
}

function parseHeader(header: string, name: string) {
  const descr = /'descr'\s*:\s*'([<>|=]?)([a-z]\d+)'/.exec(header);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header);
  const tuple = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header); // Python 2 wrote 3L for large sizes
  const shape = tuple?.[1].split(",").map((size) => size.trim().replace(/L$/, "")).filter((size) => size !== "").map(
    Number,
  );
  if (!order || !shape?.every(Number.isSafeInteger) || shape.length > 64) {
    throw new UserError(`${name}: the .npy header is malformed: ${show(header.trim())}`);
  }
  if (!descr || !Object.hasOwn(elements, descr[2])) {
    throw new UserError(
      `${name}: only arrays of plain numbers (${Object.keys(elements).join(", ")}) can be read, the header says ` +
        show(header.trim()),
    );
  }
  return { dtype: descr[2] as keyof typeof elements, bigEndian: descr[1] === ">", fortran: order[1] === "True", shape };
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/** Fortran order is the C order of the reversed shape: a transposition of all axes. */
function toCOrder<T extends NpyData>(data: T, shape: number[]): T {
  const result = new (data.constructor as new (length: number) => T)(data.length);
  const strides = shape.map((_, axis) => valueCount(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) { // an odometer over the C-order index
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}
