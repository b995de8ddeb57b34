/**
 * Waiting for what a lost device may never give. `Promise.race` with `gpu.lost` would do, but whatever a promise is raced with
 * stays in it until it is settled: a search that reads its state back at every iteration would leave megabytes there.
 */
import type { Device } from "./device.ts";
import { GpuError } from "./error.ts";

/** Who waits on each device that has been waited for. */
const waiting = new WeakMap<GPUDevice, Set<() => void>>();

/** What `work` gives, or nothing where the device is lost before. @throws What `work` does. */
export async function unlessLost<T>(gpu: GPUDevice, work: Promise<T>): Promise<T | undefined> {
  let tell = () => {};
  const loss = new Promise<undefined>((resolve) => tell = () => resolve(undefined));
  const all = waitingFor(gpu);
  all.add(tell);
  try {
    return await Promise.race([work, loss]);
  } finally {
    all.delete(tell);
  }
}

/** What has been written to a buffer, once it can be read. @throws GpuError when the device failed meanwhile. */
export async function mapped(device: Device, buffer: GPUBuffer): Promise<ArrayBuffer> {
  const isMapped = await unlessLost(device.gpu, buffer.mapAsync(GPUMapMode.READ).then(() => true, () => false));
  await device.settle();
  if (!isMapped) throw new GpuError("lost", buffer.label, "the values could not be read back");
  return buffer.getMappedRange();
}

function waitingFor(gpu: GPUDevice): Set<() => void> {
  const known = waiting.get(gpu);
  if (known) return known;
  const all = new Set<() => void>();
  waiting.set(gpu, all);
  gpu.lost.then(() => {
    waiting.delete(gpu);
    all.forEach((tell) => tell());
  });
  return all;
}
