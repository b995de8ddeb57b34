/** Devices on this machine's adapter that believe to be others, and a spy on what they make. */
import { type Caps, Device, openDevice, type Storage } from "../../src/gpu/device.ts";

/** A device whose capabilities are this adapter's but for `caps`. */
export async function openVariant(caps: Partial<Caps>, storage?: Storage): Promise<Device> {
  const device = await openDevice();
  return new Device(device.gpu, device.name, { ...device.caps, ...caps }, storage);
}

/** One GPU object: the method that made it and its label. */
export interface Made {
  method: string;
  label?: string;
}

/** Notes every GPU object made until it is disposed of. */
export function spy(): Disposable & { made: Made[] } {
  const made: Made[] = [], undo: (() => void)[] = [];
  for (const { prototype } of [GPUDevice, GPUTexture, GPUCommandEncoder] as { prototype: object }[]) {
    for (const [method, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (!/^(create|begin)/.test(method)) continue;
      const value = function (this: unknown, descriptor?: { label?: string }) {
        made.push({ method, label: descriptor?.label });
        return property.value.call(this, descriptor);
      };
      Object.defineProperty(prototype, method, { ...property, value });
      undo.push(() => Object.defineProperty(prototype, method, property));
    }
  }
  return { made, [Symbol.dispose]: () => undo.forEach((restore) => restore()) };
}
