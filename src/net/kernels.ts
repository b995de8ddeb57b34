/**
 * The dispatches of a plan by name: what profiles list, what is written out, and what may be replaced.
 *
 *     conv3               a layer's output
 *     conv3.gradient      the gradient to its input
 *     conv3.1, conv3.2    one of several dispatches that the way of a pass takes
 *     sum at pool2        what belongs to no layer is called by what it does
 */
import type { Call, OwnProgram } from "../gpu/call.ts";
import { describe } from "../ops/way.ts";
import type { OwnedCall, PlannedLayer } from "./backward.ts";

/** A dispatch. */
export interface PlannedKernel {
  /** No other of the plan has it. */
  readonly name: string;
  /** What is dispatched. */
  readonly call: Call;
  /** The layer that it works for, where it is one's. */
  readonly layer?: PlannedLayer;
  /** Which of the layer's two directions it belongs to. */
  readonly pass: "forward" | "backward";
  /** The way that its layer's pass goes, in words. */
  readonly way?: string;
}

/** Gives the programs that shall run in the place of some of a plan's kernels. @throws UserError where it has more. */
export type Replace = (kernels: readonly PlannedKernel[]) => ReadonlyMap<PlannedKernel, OwnProgram>;

/** Names a plan's calls, of which so many are forward. */
export function nameKernels(calls: readonly OwnedCall[], forward: number): PlannedKernel[] {
  const groups = new Map<string, OwnedCall[]>();
  const titled = calls.map((one, index) => {
    const pass = index < forward ? "forward" as const : "backward" as const;
    const title = one.owner ? one.owner.layer.name + (pass === "backward" ? ".gradient" : "") : one.call.label;
    const alike = groups.get(title) ?? [];
    groups.set(title, alike);
    alike.push(one);
    return { ...one, pass, title, number: alike.length };
  });
  return titled.map(({ call, owner, pass, title, number }) => ({
    name: groups.get(title)!.length > 1 ? `${title}.${number}` : title,
    call,
    layer: owner,
    pass,
    way: owner && describe(owner.ways[pass]!),
  }));
}
