/**
 * .caffemodel and .binaryproto: the weights of a NetParameter, in each of its three generations, as views into the file.
 *
 *     NetParameter   layer 100 (LayerParameter: name 1, blobs 7)
 *                    layers 2 (V1LayerParameter: name 4, blobs 6, layer 1 = V0LayerParameter: name 1, blobs 50)
 *     BlobProto      num, channels, height, width 1 … 4; data 5; shape 7 { dim 1 }; double_data 8
 */
import { refuseText } from "../../../src/formats/kinds.ts";
import type { StoredTensor } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { content, type Field, fields, varints } from "../protobuf.ts";

/** The field numbers of a layer's message. */
interface Generation {
  name: number;
  blobs: number;
  /** The message of the generation before, nested. */
  older?: { field: number; generation: Generation };
}

const v0: Generation = { name: 1, blobs: 50 };
const v1: Generation = { name: 4, blobs: 6, older: { field: 1, generation: v0 } };
const v2: Generation = { name: 1, blobs: 7 };

/**
 * The blobs of every layer by the layer's name, F32 or F64, as views into `bytes` where the file packs them (all do).
 * Of two layers of one name the later one with blobs counts, as in Caffe.
 * @param file Named in errors.
 * @throws UserError where the file is not a sound caffemodel.
 */
export function readCaffemodel(bytes: Uint8Array, file: string): Map<string, StoredTensor[]> {
  refuseText(bytes, file, "a caffemodel");
  const layers = new Map<string, StoredTensor[]>();
  for (const field of fields(bytes, file)) {
    const generation = field.number === 100 ? v2 : field.number === 2 ? v1 : undefined;
    if (!generation) continue;
    const { name, blobs } = readLayer(content(bytes, field, file), generation, file);
    if (blobs.length > 0 || !layers.has(name)) layers.set(name, blobs);
  }
  if (layers.size === 0) throw new UserError(`${file}: there is no layer in it; is it a caffemodel?`);
  return layers;
}

/**
 * The mean of each channel of a mean image (a BlobProto of shape 1 × channels × height × width).
 * @throws UserError where the file is no such blob.
 */
export function readMeanFile(bytes: Uint8Array, file: string): number[] {
  refuseText(bytes, file, "a mean image (.binaryproto)");
  const { shape, dtype, bytes: data } = readBlob(bytes, file);
  const dims = [...shape];
  while (dims.length > 3 && dims[0] === 1) dims.shift();
  if (dims.length !== 3 || dims.includes(0)) {
    throw new UserError(`${file}: its shape is [${shape}], expected a mean image of [1, channels, height, width]`);
  }
  const area = dims[1] * dims[2];
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const means = Array.from({ length: dims[0] }, (_, c) => {
    let sum = 0;
    for (let n = c * area; n < (c + 1) * area; n++) {
      sum += dtype === "F32" ? view.getFloat32(4 * n, true) : view.getFloat64(8 * n, true);
    }
    return sum / area;
  });
  if (!means.every(Number.isFinite)) throw new UserError(`${file}: the mean image holds NaN or infinity`);
  return means;
}

function readLayer(bytes: Uint8Array, generation: Generation, file: string): { name: string; blobs: StoredTensor[] } {
  let name = "";
  const blobs: StoredTensor[] = [];
  for (const field of fields(bytes, file)) {
    if (field.number === generation.name) name = new TextDecoder().decode(content(bytes, field, file));
    else if (field.number === generation.blobs) blobs.push(readBlob(content(bytes, field, file), file));
    else if (field.number === generation.older?.field) {
      const older = readLayer(content(bytes, field, file), generation.older.generation, file);
      name = older.name;
      for (const blob of older.blobs) blobs.push(blob);
    }
  }
  return { name, blobs };
}

function readBlob(bytes: Uint8Array, file: string): StoredTensor {
  const legacy = [0, 0, 0, 0];
  const single = gather(bytes);
  const double = gather(bytes);
  let shape: number[] | undefined;
  for (const field of fields(bytes, file)) {
    if (field.number <= 4 && field.wire === 0) legacy[field.number - 1] = field.value;
    else if (field.number === 5) single.add(field);
    else if (field.number === 7) shape = readShape(content(bytes, field, file), file);
    else if (field.number === 8) double.add(field);
  }
  const [dtype, size, data] = double.length() > 0
    ? ["F64", 8, double.bytes()] as const
    : ["F32", 4, single.bytes()] as const;
  const dims = shape ?? legacy;
  const wanted = dims.reduce((product, n) => product * n, size);
  if (wanted !== data.length || dims.some((n) => n < 0)) {
    throw new UserError(
      `${file}: the blob at byte ${bytes.byteOffset} has shape [${dims}] and ${data.length / size} values`,
    );
  }
  return { dtype, shape: dims, bytes: data };
}

function readShape(bytes: Uint8Array, file: string): number[] {
  const dims: number[] = [];
  for (const field of fields(bytes, file)) {
    if (field.number !== 1) continue;
    if (field.end - field.start > 320) {
      throw new UserError(`${file}: a shape of ${field.end - field.start} bytes; is it damaged?`);
    }
    dims.push(...varints(bytes, field, file));
  }
  if (dims.length > 32) throw new UserError(`${file}: a blob of ${dims.length} dimensions; is it damaged?`);
  return dims;
}

/** The content of a repeated field: the field itself where it is one packed piece, else a copy of all pieces. */
function gather(message: Uint8Array) {
  let first: Uint8Array | undefined;
  let copy: Uint8Array | undefined;
  let length = 0;
  return {
    add({ start, end }: Field): void {
      if (length === 0) first = message.subarray(start, end);
      else {
        if (!copy) {
          copy = new Uint8Array(message.length);
          copy.set(first!);
        }
        for (let n = 0; n < end - start; n++) copy[length + n] = message[start + n];
      }
      length += end - start;
    },
    length: () => length,
    bytes: () => copy?.subarray(0, length) ?? first ?? new Uint8Array(0),
  };
}
