/**
 * A picture of a batch once more, without the others: the kernels go the ways that they went among so many. Whether that gave the
 * same, its strongest units say, in which a difference of any step would show; if not, as many are made together as before.
 */
import { asAmong, chooseCheapest, type Device, Unlike } from "../mod.ts";
import { type BatchOptions, type BatchResult, searchInBatches } from "./batches.ts";
import type { PictureRecord } from "../record/record.ts";

/**
 * Searches as `searchInBatches` for the picture that a record is of, of which the targets are copies where others were made with
 * it: one of them then stands for all.
 */
export const searchAgain =
  ({ beside, result, iterations, adapter, batch = 1 }: PictureRecord) =>
  async (device: Device, options: BatchOptions): Promise<BatchResult> => {
    const { targets: [target], choose = chooseCheapest } = options;
    // The others may matter, what was interrupted ended elsewhere, and an animation shall not have a part of two runs.
    const together = beside || result.iterations !== iterations || options.every !== undefined;
    if (batch === 1 || together) return await searchInBatches(device, options);
    try {
      const found = await searchInBatches(device, { ...options, targets: [target], choose: asAmong(batch, choose) });
      const [{ top }] = found.items;
      const same = top.every((one, n) => one.activation === result.top?.[n]?.activation);
      if (same || adapter !== device.name || found.aborted) {
        return { ...found, batches: [{ size: batch, losses: found.losses }] };
      }
    } catch (error) {
      if (!(error instanceof Unlike)) throw error;
    }
    return await searchInBatches(device, options);
  };
