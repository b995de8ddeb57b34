/** How long passes take by the adapter's own clock: a timestamp at the beginning of each and one at its end. */
import type { Device } from "./device.ts";
import { mapped } from "./loss.ts";

/** Passes that can be timed before anything is read: a query set holds 4,096 timestamps. */
export const MOST_PASSES = 2048;

/** Two timestamps for each of some passes. */
export interface Timestamps extends Disposable {
  /** What a pass writes. */
  writes(pass: number): GPUComputePassTimestampWrites;
  /**
   * The milliseconds of the first passes, which have been submitted.
   * @param meanwhile Called once the reading is submitted, before it is waited for.
   * @throws GpuError when the device failed meanwhile.
   */
  read(passes?: number, meanwhile?: () => void): Promise<number[]>;
}

/** Makes room for the timestamps of so many passes, at most `MOST_PASSES`. @throws GpuError */
export async function timestampsOf(device: Device, passes: number): Promise<Timestamps> {
  const { gpu } = device;
  const label = "timestamps";
  const size = 16 * passes;
  const buffer = (usage: number) => device.make(label, () => gpu.createBuffer({ label, size, usage }));
  const querySet = device.make(label, () => gpu.createQuerySet({ label, type: "timestamp", count: 2 * passes }));
  const written = buffer(GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
  const read = buffer(GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
  const timestamps: Timestamps = {
    writes: (pass) => ({ querySet, beginningOfPassWriteIndex: 2 * pass, endOfPassWriteIndex: 2 * pass + 1 }),
    async read(count = passes, meanwhile) {
      const encoder = gpu.createCommandEncoder({ label });
      encoder.resolveQuerySet(querySet, 0, 2 * count, written, 0);
      encoder.copyBufferToBuffer(written, 0, read, 0, 16 * count);
      gpu.queue.submit([encoder.finish()]);
      meanwhile?.();
      const nanoseconds = new BigUint64Array((await mapped(device, read)).slice(0));
      read.unmap();
      return Array.from({ length: count }, (_, n) => Number(nanoseconds[2 * n + 1] - nanoseconds[2 * n]) / 1e6);
    },
    [Symbol.dispose]() {
      querySet.destroy();
      written.destroy();
      read.destroy();
    },
  };
  try {
    await device.settle();
  } catch (error) {
    timestamps[Symbol.dispose]();
    throw error;
  }
  return timestamps;
}
