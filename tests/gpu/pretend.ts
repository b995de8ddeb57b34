/** Devices that claim to be others, on the adapter that there is. */
import { Device } from "../../src/gpu/device.ts";
import type { Caps, Storage } from "../../src/gpu/adapter.ts";

/** The same GPU device under other caps, and its tensors in the given storage. */
export function pretend({ gpu, name, caps }: Device, changes: Partial<Caps>, storage?: Storage): Device {
  return new Device(gpu, name, { ...caps, ...changes }, storage);
}

/** The labels of everything that is made on the device from now on. */
export function spyLabels(device: Device): string[] {
  const labels: string[] = [];
  const make = device.make.bind(device);
  device.make = (label, create) => {
    labels.push(label);
    return make(label, create);
  };
  return labels;
}
