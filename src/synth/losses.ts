/** Devices that the driver takes away in the middle of a search: each is opened anew, and the search goes on. */
import type { Device } from "../gpu/device.ts";

/** A device that was lost during a search. */
export interface Loss {
  /** The iteration after which the search went on. */
  iteration: number;
  /** The adapter that was lost; the next may be another. */
  adapter: string;
}

/** Devices that a search may lose; with one more it ends. */
const MOST_LOSSES = 3;

/**
 * Attempts again where the device was lost meanwhile, on a new one.
 * @param onLost Told the adapter's name when there is a new one.
 * @throws what an attempt throws on a device that is still there; GpuError the loss where no device is to be had, or too many were lost.
 */
export async function despiteLosses<T>(
  device: Device,
  attempt: () => Promise<T>,
  onLost: (adapter: string) => void,
): Promise<T> {
  for (let losses = 0;; losses++) {
    const { gpu, name } = device;
    try {
      return await attempt();
    } catch (error) {
      if (losses === MOST_LOSSES || !await device.isLost()) throw error;
      await device.renew(gpu);
      onLost(name);
    }
  }
}
