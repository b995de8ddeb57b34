/**
 * Memory by liveness: a tensor is alive from the call that writes it first to the call that reads it last; tensors that
 * are never alive together may share a slot. Greedy in call order: the smallest free slot that fits, else the largest
 * free one grown, else a new one.
 */
import type { Device, Storage } from "../gpu/device.ts";
import { type Call, traffic } from "../gpu/kernel.ts";
import { allocate, type Memory, type Tensor } from "../gpu/tensor.ts";

interface Slot {
  storage: Storage;
  texels: number;
  tensors: Tensor[];
}

/** Places every tensor of the calls that has no memory yet, in memory added to `owned`. Without `share`, one slot each. */
export function assignSlots(device: Device, calls: readonly Call[], owned: Memory[], share = true): void {
  const lastUse = new Map<Tensor, number>(), slotOf = new Map<Tensor, Slot>(), slots: Slot[] = [];
  calls.forEach((call, time) => {
    const { reads, writes } = traffic(call);
    for (const tensor of [...reads, ...writes]) if (!tensor.memory) lastUse.set(tensor, time);
  });
  const freeSlots: Slot[] = [];
  const take = ({ storage, texels }: Tensor): Slot => {
    const fitting = freeSlots.filter((slot) => slot.storage === storage).sort((a, b) => a.texels - b.texels);
    const slot = fitting.find((slot) => slot.texels >= texels) ?? fitting.at(-1);
    if (slot) freeSlots.splice(freeSlots.indexOf(slot), 1);
    const taken = slot ?? { storage, texels, tensors: [] };
    if (!slot) slots.push(taken);
    taken.texels = Math.max(taken.texels, texels);
    return taken;
  };
  calls.forEach((call, time) => {
    const { reads, writes } = traffic(call);
    for (const tensor of writes) {
      if (tensor.memory || slotOf.has(tensor)) continue;
      const slot = take(tensor);
      slot.tensors.push(tensor);
      slotOf.set(tensor, slot);
    }
    if (!share) return;
    for (const tensor of new Set([...reads, ...writes])) {
      if (lastUse.get(tensor) === time) freeSlots.push(slotOf.get(tensor)!);
    }
  });
  for (const { storage, texels, tensors } of slots) {
    const memory = allocate(
      device,
      `slot for ${[...new Set(tensors.map(({ label }) => label))].join(", ")}`,
      texels,
      storage,
      "f32",
    );
    for (const tensor of tensors) tensor.memory = memory;
    owned.push(memory);
  }
}
