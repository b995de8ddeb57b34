/**
 * Memory by liveness: a tensor is alive from the call that writes it first to the call that reads it last; tensors that
 * are never alive together may share a slot. Greedy in call order: the smallest free slot that fits, else the largest
 * free one grown, else a new one.
 */
import type { Storage } from "../gpu/adapter.ts";
import { type Call, traffic } from "../gpu/call.ts";
import type { Format, Tensor } from "../gpu/tensor.ts";

/** A piece of memory to be taken, and the tensors that take turns in it. */
export interface Slot {
  label: string;
  storage: Storage;
  format: Format;
  texels: number;
  tensors: Tensor[];
}

/** Characters of the tensors' names in a slot's label. */
const MOST_LABEL = 200;

/** A slot for one tensor alone. */
export const slotFor = (tensor: Tensor): Slot => ({ ...tensor, tensors: [tensor] });

/** Slots for the tensors of the calls but those that lie somewhere else. Without `share`, one for each. */
export function assignSlots(calls: readonly Call[], elsewhere: (tensor: Tensor) => boolean, share = true): Slot[] {
  const lastUse = new Map<Tensor, number>();
  const slotOf = new Map<Tensor, Slot>();
  const slots: Slot[] = [];
  calls.forEach((call, time) => {
    const { reads, writes } = traffic(call);
    for (const tensor of [...reads, ...writes]) if (!elsewhere(tensor)) lastUse.set(tensor, time);
  });
  const freeSlots: Slot[] = [];
  const take = ({ storage, format, texels }: Tensor): Slot => {
    const fitting = freeSlots.filter((slot) => slot.storage === storage).sort((a, b) => a.texels - b.texels);
    const slot = fitting.find((slot) => slot.texels >= texels) ?? fitting.at(-1);
    if (slot) freeSlots.splice(freeSlots.indexOf(slot), 1);
    const taken = slot ?? { label: "", storage, format, texels, tensors: [] };
    if (!slot) slots.push(taken);
    taken.texels = Math.max(taken.texels, texels);
    return taken;
  };
  calls.forEach((call, time) => {
    const { reads, writes } = traffic(call);
    for (const tensor of writes) {
      if (elsewhere(tensor) || slotOf.has(tensor)) continue;
      const slot = take(tensor);
      slot.tensors.push(tensor);
      slotOf.set(tensor, slot);
    }
    if (!share) return;
    for (const tensor of new Set([...reads, ...writes])) {
      if (lastUse.get(tensor) === time) freeSlots.push(slotOf.get(tensor)!);
    }
  });
  for (const slot of slots) {
    // Every view of the memory is given its label once more: a thousand layers' names would fill gigabytes.
    const names = [...new Set(slot.tensors.map(({ label }) => label))].join(", ");
    slot.label = `slot for ${names.length > MOST_LABEL ? `${names.slice(0, MOST_LABEL - 1)}…` : names}`;
  }
  return slots;
}
