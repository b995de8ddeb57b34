/** From weights on the host to weights on the device: packed as a layer's way wants them, and uploaded one after another. */
import type { Adapter } from "../gpu/adapter.ts";
import type { Device } from "../gpu/device.ts";
import { bytesFor, featureMap, type Tensor, upload } from "../gpu/tensor.ts";
import { UserError } from "../formats/user_error.ts";
import type { HostTensor, PackedTensor, Task } from "../ops/op.ts";
import type { FusedLayer } from "./fuse.ts";

/** A weight that waits for its memory. */
export interface Load {
  layer: string;
  tensor: Tensor;
  packed: PackedTensor;
}

/** A layer's weights as tensors without memory; what belongs into them is added to `loads`. */
export function packWeights(
  adapter: Adapter,
  layer: FusedLayer,
  host: Record<string, HostTensor>,
  task: Task,
  form: string,
  loads: Load[],
): Record<string, Tensor> {
  const result: Record<string, Tensor> = {};
  if (!layer.op.pack) return result;
  const packed = layer.op.pack(host, task, form);
  for (const [name, weight] of Object.entries(packed)) {
    const { texels, format } = weight;
    const map = featureMap(adapter, `${layer.name}.${name}`, [1, texels * 4, 1, 1]);
    loads.push({ layer: layer.name, tensor: result[name] = { ...map, format }, packed: weight });
  }
  return result;
}

/** Bytes that may wait in the queue at a time: it keeps a copy of them until they are on the GPU. */
const QUEUE_BYTES = 1 << 26;

/** Uploads weights; each is packed when its turn comes and forgotten then, so that few are in memory twice. */
export async function load(device: Device, loads: Load[], signal?: AbortSignal): Promise<void> {
  let waiting = 0;
  for (let next = loads.shift(); next; next = loads.shift()) {
    const { layer, tensor, packed } = next;
    try {
      upload(device, tensor, packed.bytes);
    } catch (error) {
      throw error instanceof UserError ? new UserError(`layer "${layer}": ${error.message}`) : error;
    }
    waiting += bytesFor(device, tensor.texels, tensor.storage);
    if (waiting < QUEUE_BYTES) continue;
    device.gpu.queue.submit([]);
    await device.finish();
    signal?.throwIfAborted();
    waiting = 0;
  }
}
