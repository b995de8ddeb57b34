/** Feature maps between the host, where values lie as NCHW, and the device, where four channels share a texel. */
import type { Device } from "./device.ts";
import { download, type Shape4, type Tensor, upload } from "./tensor.ts";
import { channelBlocks } from "../../shaders/texels.ts";

/** Copies NCHW values into a placed map. @throws RangeError when the count is wrong. */
export function writeMap(device: Device, map: Tensor, values: ArrayLike<number>): void {
  upload(device, map, toTexels(values, map.shape));
}

/** Reads the NCHW values of a placed map back. @throws GpuError when the device failed meanwhile. */
export async function readMap(device: Device, map: Tensor): Promise<Float32Array<ArrayBuffer>> {
  return fromTexels(await readTexels(device, map), map.shape);
}

/** Reads the numbers of texels of f32 back, those of the first `texels` where given. @throws GpuError as `readMap`. */
export async function readTexels(device: Device, tensor: Tensor, texels?: number): Promise<Float32Array> {
  const { buffer, byteOffset, byteLength } = await download(device, tensor, texels);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** NCHW values into the texels of a feature map. @throws RangeError when the count is wrong. */
export function toTexels(values: ArrayLike<number>, [n, c, h, w]: Shape4): Float32Array<ArrayBuffer> {
  if (values.length !== n * c * h * w) throw new RangeError(`expected ${n * c * h * w} values, got ${values.length}`);
  const blocks = channelBlocks(c);
  const area = h * w;
  const texels = new Float32Array(n * blocks * area * 4);
  let from = 0;
  for (let item = 0; item < n; item++) {
    for (let channel = 0; channel < c; channel++) {
      let to = (item * blocks + (channel >> 2)) * area * 4 + (channel & 3);
      for (let p = 0; p < area; p++, to += 4) texels[to] = values[from++];
    }
  }
  return texels;
}

/** The texels of a feature map as NCHW values. */
export function fromTexels(texels: Float32Array, [n, c, h, w]: Shape4): Float32Array<ArrayBuffer> {
  const blocks = channelBlocks(c);
  const area = h * w;
  const values = new Float32Array(n * c * area);
  let to = 0;
  for (let item = 0; item < n; item++) {
    for (let channel = 0; channel < c; channel++) {
      let from = (item * blocks + (channel >> 2)) * area * 4 + (channel & 3);
      for (let p = 0; p < area; p++, from += 4) values[to++] = texels[from];
    }
  }
  return values;
}
