/**
 * Tensors and where their values lie.
 *
 * A tensor is a run of 16-byte texels. Feature maps keep four neighbouring channels of a pixel in one texel:
 * texel ((n · ⌈C/4⌉ + c/4) · H + y) · W + x holds channels 4⌊c/4⌋ … +3; lanes past C are never read as values.
 * A texel is four f32, eight f16 or sixteen i8.
 *
 * A run may lie in storage buffers or in 2-d textures. GPUs like buffers; adapters that run shaders on a CPU load a
 * whole texel from a texture for a seventh of the price of a checked buffer gather. A run larger than one binding
 * may show is cut into several parts. Kernels see none of this: they call `load_NAME(i)` and `store_NAME(i, v)`.
 */
import type { Device } from "./device.ts";
import { GpuError } from "./error.ts";
import { mapped } from "./loss.ts";
import type { Adapter, Storage } from "./adapter.ts";
import { channelBlocks } from "../../shaders/texels.ts";

/** Batch, channels, height, width. */
export type Shape4 = readonly [n: number, c: number, h: number, w: number];

/** How the values of a texel may be packed: 4 × f32, 8 × f16 or 16 × i8. */
export const formats = ["f32", "f16", "i8"] as const;

/** One of them. */
export type Format = typeof formats[number];

/** Bytes of a texel. */
export const TEXEL = 16;

/** Texels in one row of a texture. */
export const ROW = 1024;

/** The texels of one tensor or of several that take turns, in one or more parts of `partTexels` each. */
export interface Memory {
  /** Buffers or textures. */
  readonly storage: Storage;
  /** How values are stored. */
  readonly format: Format;
  /** More than one where it is larger than what one binding may show. */
  readonly parts: readonly (GPUBuffer | GPUTexture)[];
  /** Texels of each part but the last. */
  readonly partTexels: number;
  /** Bytes asked for. */
  readonly bytes: number;
}

/** A named run of texels; `rest` is set by whoever plans it, `memory` by whoever places it. */
export interface Tensor {
  /** What messages call it. */
  readonly label: string;
  /** Of the whole batch: [n, c, h, w]. */
  readonly shape: Shape4;
  /** How values are stored. */
  readonly format: Format;
  /** How many texels it takes. */
  readonly texels: number;
  /** Where it lies, or will. */
  readonly storage: Storage;
  /** In double-float arithmetic, what rounding lost of each value. */
  rest?: Tensor;
  /** Where its texels are; it may be shared with tensors that live at other times. */
  memory?: Memory;
}

/** Texels of a feature map of this shape. */
export function mapTexels([n, c, h, w]: Shape4): number {
  return n * channelBlocks(c) * h * w;
}

/** A feature map of `shape`, not yet placed. */
export function featureMap(adapter: Adapter, label: string, shape: Shape4, storage = adapter.storage): Tensor {
  return { label, shape, format: "f32", texels: mapTexels(shape), storage };
}

/** A bare run of `texels`, not yet placed. */
export function run(label: string, texels: number, storage: Storage, format: Format = "f32"): Tensor {
  return { label, shape: [1, texels * 4, 1, 1], format, texels, storage };
}

/** The most texels that one part may hold on this adapter. */
function partLimit({ caps }: Adapter, storage: Storage): number {
  const { maxBinding, maxTexture } = caps;
  return storage === "buffer" ? Math.floor(maxBinding / TEXEL / 64) * 64 : maxTexture * ROW;
}

/** Texels of each part of a tensor but the last. */
export const partTexelsOf = (adapter: Adapter, { storage }: Tensor): number => partLimit(adapter, storage);

/** How many parts hold a tensor's texels. */
export const partsOf = (adapter: Adapter, { texels, storage }: Tensor): number =>
  Math.ceil(texels / partLimit(adapter, storage));

/** Bytes that `allocate` will take for so many texels. */
export function bytesFor(adapter: Adapter, texels: number, storage: Storage): number {
  const unit = storage === "buffer" ? 1 : ROW;
  const limit = partLimit(adapter, storage);
  const whole = Math.floor(texels / limit);
  const rest = texels - whole * limit;
  return (whole * limit + Math.ceil(rest / unit) * unit) * TEXEL;
}

/** The most parts that a tensor may have, so that a kernel can still bind it. */
function mostParts({ caps }: Adapter, storage: Storage): number {
  return storage === "buffer" ? caps.maxStorageBuffers : Math.min(caps.maxSampledTextures, caps.maxStorageTextures);
}

/** What helps where something is too large. */
export const wayOut = "a smaller batch, or weights in f16 or i8, may fit";

/**
 * How many parts so many texels are cut into.
 * @throws GpuError of kind `out-of-memory` when no kernel could bind so much.
 */
export function partsFor(adapter: Adapter, label: string, texels: number, storage: Storage): number {
  const parts = Math.ceil(texels / partLimit(adapter, storage));
  const most = mostParts(adapter, storage);
  if (parts <= most) return parts;
  throw tooLarge(label, texels * TEXEL, most * partLimit(adapter, storage) * TEXEL);
}

/** @throws GpuError of kind `out-of-memory` where so many more bytes are more than the device may have. */
export function checkMemory({ memory, caps }: Device, label: string, bytes: number): void {
  if (memory + bytes > caps.maxMemory) throw tooLarge(label, bytes, Math.max(0, caps.maxMemory - memory));
}

function tooLarge(label: string, bytes: number, most: number): GpuError {
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  return new GpuError(
    "out-of-memory",
    label,
    `needs ${mebibytes(bytes)}, expected at most ${mebibytes(most)}; ${wayOut}`,
  );
}

/**
 * Takes GPU memory for `texels`; a failure of the driver surfaces at `device.settle()` under `label`.
 * @throws GpuError of kind `out-of-memory` when no kernel could bind so much, or the device may not have so much.
 */
export function allocate(device: Device, label: string, texels: number, storage: Storage, format: Format): Memory {
  const partTexels = partLimit(device, storage);
  const bytes = bytesFor(device, texels, storage);
  partsFor(device, label, texels, storage);
  checkMemory(device, label, bytes);
  const parts: (GPUBuffer | GPUTexture)[] = [];
  const memory: Memory = { storage, format, parts, partTexels, bytes };
  device.memory += bytes;
  device.taken.add(memory);
  try {
    for (let start = 0; start < texels; start += partTexels) {
      const count = Math.min(partTexels, texels - start);
      const name = start === 0 ? label : `${label} (part ${parts.length + 1})`;
      parts.push(device.make(name, () =>
        storage === "buffer"
          ? device.gpu.createBuffer({
            label: name,
            size: count * TEXEL,
            usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
          })
          : device.gpu.createTexture({
            label: name,
            size: [ROW, Math.ceil(count / ROW)],
            format: format === "f32" ? "rgba32float" : "rgba32uint",
            usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC |
              GPUTextureUsage.COPY_DST,
          })));
    }
  } catch (error) {
    free(device, memory);
    throw error;
  }
  return memory;
}

/** Gives memory back; a second time changes nothing. */
export function free(device: Device, memory: Memory): void {
  if (!device.taken.delete(memory)) return;
  for (const part of memory.parts) part.destroy();
  device.memory -= memory.bytes;
}

/** The memory of a placed tensor. @throws GpuError when nobody placed it. */
export function placed(tensor: Tensor): Memory {
  if (!tensor.memory) throw new GpuError("validation", tensor.label, "used before it was placed in memory");
  return tensor.memory;
}

/** Places a tensor in memory of its own. */
export function place(device: Device, tensor: Tensor): Tensor {
  tensor.memory = allocate(device, tensor.label, tensor.texels, tensor.storage, tensor.format);
  return tensor;
}

/** Copies `data` (whole texels, from texel 0) into a placed tensor. */
export function upload(device: Device, tensor: Tensor, data: Uint8Array | Float32Array): void {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const { parts, partTexels, storage } = placed(tensor);
  const queue = device.gpu.queue;
  parts.forEach((part, index) => {
    const piece = bytes.subarray(index * partTexels * TEXEL, (index + 1) * partTexels * TEXEL);
    if (piece.length === 0) return;
    if (storage === "buffer") return queue.writeBuffer(part as GPUBuffer, 0, piece as Uint8Array<ArrayBuffer>);
    const texture = part as GPUTexture;
    const layout = { bytesPerRow: ROW * TEXEL };
    const rows = Math.floor(piece.length / (ROW * TEXEL));
    const rest = piece.subarray(rows * ROW * TEXEL) as Uint8Array<ArrayBuffer>;
    if (rows > 0) queue.writeTexture({ texture }, piece as Uint8Array<ArrayBuffer>, layout, [ROW, rows]);
    if (rest.length > 0) queue.writeTexture({ texture, origin: [0, rows] }, rest, layout, [rest.length / TEXEL, 1]);
  });
}

/** Reads the texels of a placed tensor back. @throws GpuError when the device failed meanwhile. */
export async function download(device: Device, tensor: Tensor, texels = tensor.texels): Promise<Uint8Array> {
  const { parts, partTexels, storage } = placed(tensor);
  const result = new Uint8Array(texels * TEXEL);
  for (let index = 0; index * partTexels < texels; index++) {
    const count = Math.min(partTexels, texels - index * partTexels);
    const rows = Math.ceil(count / ROW);
    const size = (storage === "buffer" ? count : rows * ROW) * TEXEL;
    const label = `read ${tensor.label}`;
    const staging = device.make(
      label,
      () => device.gpu.createBuffer({ label, size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    );
    try {
      const encoder = device.gpu.createCommandEncoder({ label });
      const part = parts[index];
      if (storage === "buffer") encoder.copyBufferToBuffer(part as GPUBuffer, 0, staging, 0, size);
      else {
        const texture = part as GPUTexture;
        encoder.copyTextureToBuffer({ texture }, { buffer: staging, bytesPerRow: ROW * TEXEL }, [ROW, rows]);
      }
      device.gpu.queue.submit([encoder.finish()]);
      const bytes = new Uint8Array(await mapped(device, staging), 0, count * TEXEL);
      result.set(bytes, index * partTexels * TEXEL);
    } finally {
      staging.destroy();
    }
  }
  return result;
}
