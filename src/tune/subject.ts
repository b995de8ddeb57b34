/**
 * What a choice of ways depends on, as text: the adapter, the question, and the kernels that answer it. Entries of the cache
 * are found by the first two, and trusted as long as the third is what it was when they were measured.
 */
import type { Device } from "../gpu/device.ts";
import { type Call, ownsWorkgroup, write } from "../gpu/call.ts";
import { sourceOf } from "../gpu/source.ts";
import { featureMap, type Tensor } from "../gpu/tensor.ts";
import type { LayerWays, Subject } from "../net/choose.ts";
import { packWeights } from "../net/load.ts";
import type { Node, Task } from "../ops/op.ts";
import { typeOf } from "../ops/table.ts";
import { formOf } from "../ops/way.ts";

/** The adapter as WebGPU describes it, its abilities, and on a CPU how many cores it may have. */
export function adapterKey({ gpu, name, caps, storage }: Device): string {
  const info: Partial<GPUAdapterInfo> = gpu.adapterInfo ?? {};
  const { maxMemory: _, ...lasting } = caps; // what is free now is no ability
  const cores = caps.software ? globalThis.navigator?.hardwareConcurrency : undefined;
  return JSON.stringify([name, info.vendor, info.architecture, info.device, info.description, cores, storage, lasting]);
}

/** All that candidates and their kernels follow from, but for the adapter. */
export function questionKey({ layer: { op, relu }, task, gradient }: Subject): string {
  const { params, inputs, shapes, output, formats, storage, anyForm, doubleFloat, arithmetic, spots } = task;
  const map = ({ shape, rest }: Tensor) => rest ? [...shape, "rest"] : shape;
  return JSON.stringify({
    op: typeOf(op),
    params,
    shapes,
    inputs: inputs.map(map),
    output: map(output),
    relu: relu?.slope,
    formats,
    storage,
    anyForm,
    doubleFloat,
    arithmetic,
    spots: spots?.count,
    gradient,
  });
}

/** Where a layer's gradient comes from and goes to. */
export interface Ends {
  dy: Tensor;
  dx: readonly Tensor[];
}

/** The gradients of a task's output and inputs. */
export const endsOf = ({ adapter, output, inputs }: Task): Ends => ({
  dy: featureMap(adapter, `gradient at ${output.label}`, output.shape),
  dx: inputs.map(({ label, shape }) => featureMap(adapter, `gradient at ${label}`, shape)),
});

/** The calls of a layer by itself: what a plan runs, but for the masks of the layers around it. */
export function callsAlone(
  { layer, task, gradient }: Subject,
  { forward, backward }: LayerWays,
  weights: Node["weights"],
  { dy, dx }: Ends,
): { forward: Call[]; backward: Call[] } {
  const node: Node = { ...task, name: layer.name, weights, saved: gradient ? {} : undefined };
  const output = write(task.output, { relu: layer.relu });
  return {
    forward: forward.way.calls(node, output, forward.sizes),
    backward: backward?.way.calls(node, dy, dx.map((tensor) => write(tensor)), backward.sizes) ?? [],
  };
}

/** A number for the final WGSL and the dispatches of a layer's calls: another for other kernels. @throws GpuError where the adapter cannot run them. */
export function kernelsHash(about: Subject, ways: LayerWays): string {
  const { layer, task, host = layer.weights() } = about;
  const weights = packWeights(task.adapter, layer, host, task, formOf(ways.forward.way), []);
  const { forward, backward } = callsAlone(about, ways, weights, endsOf(task));
  return hash(
    [...forward, ...backward].map((call) => {
      const { wgsl, workgroup, grid } = sourceOf(call, task.adapter);
      return [wgsl, workgroup, grid, ownsWorkgroup(call) ? 0 : call.invocations].join("\n");
    }).join("\n"),
  );
}

/** 64 bits of a text, as hexadecimal digits (two sums of FNV-1a with a last mix; no secret hangs on it). */
function hash(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x1b873593;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) ^ a >>> 13;
  }
  return [a, b].map((sum) => (Math.imul(sum ^ sum >>> 16, 0x2c1b3c6d) >>> 0).toString(16).padStart(8, "0")).join("");
}
