/** A plan's kernels as files: the final WGSL of each, and beside it what it binds, its grid and its shapes. */
import { executedFlops, ownsWorkgroup } from "../gpu/call.ts";
import type { Adapter } from "../gpu/adapter.ts";
import { sourceOf } from "../gpu/source.ts";
import { formatWgsl } from "../gpu/wgsl_text.ts";
import type { PlannedKernel } from "../net/kernels.ts";
import { typeOf } from "../ops/table.ts";

/** What one binding of a dumped kernel is. */
export interface DumpedBinding {
  binding: number;
  name: string;
  /** Its declaration in WGSL, which a program in the kernel's place repeats. */
  declaration: string;
  /** The tensor that it shows, and its shape: batch, channels, rows, columns. Four channels are a texel. */
  tensor: string;
  shape: readonly number[];
  texels: number;
  /** Of a tensor in several bindings. */
  part?: number;
}

/** What stands beside a kernel's WGSL. */
export interface DumpedKernel {
  kernel: string;
  adapter: string;
  pass: string;
  layer?: string;
  op?: string;
  way?: string;
  params?: unknown;
  /** Workgroups along each dimension: what a program in its place is dispatched in, unless it is changed here. */
  grid: readonly number[];
  /** Invocations of a workgroup. */
  workgroup: readonly number[];
  bindings: DumpedBinding[];
  /** Multiplications and additions that a dispatch is asked for, and that it executes. */
  flops: number;
  executedFlops: number;
  workgroupBytes?: number;
}

/** What a kernel binds. */
export function bindingsOf({ call }: Pick<PlannedKernel, "call">, adapter: Adapter): DumpedBinding[] {
  return sourceOf(call, adapter).slots.map(({ name, declaration, tensor, part }, binding) => ({
    ...{ binding, name, declaration, tensor: tensor.label, shape: tensor.shape, texels: tensor.texels },
    ...(part > 0 ? { part } : {}),
  }));
}

/** A kernel's two texts. */
export function dumped(kernel: PlannedKernel, adapter: Adapter & { name: string }): { wgsl: string; json: string } {
  const { name, call, layer, pass, way } = kernel;
  const { wgsl, grid, workgroup } = sourceOf(call, adapter);
  const facts: DumpedKernel = {
    kernel: name,
    adapter: adapter.name,
    pass,
    ...(layer ? { layer: layer.layer.name, op: typeOf(layer.layer.op), way, params: layer.layer.params } : {}),
    grid,
    workgroup,
    ...(ownsWorkgroup(call) ? { workgroupBytes: call.workgroupBytes } : {}),
    bindings: bindingsOf(kernel, adapter),
    flops: call.flops,
    executedFlops: executedFlops(call),
  };
  return { wgsl: call.own ? wgsl : formatWgsl(wgsl), json: textOf(facts) };
}

/** JSON with lists of numbers on one line. */
const textOf = (facts: unknown): string =>
  JSON.stringify(facts, null, 2).replace(
    /\[\s+(-?[\d.]+(?:,\s+-?[\d.]+)*)\s+\]/g,
    (_, list) => `[${list.replace(/\s+/g, " ")}]`,
  ) + "\n";

/** Names of files for kernels: what does not belong into a file's name is an underscore, and no two are the same. */
export function fileNames(kernels: readonly PlannedKernel[]): string[] {
  const taken = new Set<string>();
  return kernels.map(({ name }) => {
    const plain = name.replace(/[^\w.-]+/g, "_").replace(/^[._-]+/, "") || "kernel";
    let own = plain;
    for (let n = 2; taken.has(own.toLowerCase()); n++) own = `${plain}_${n}`;
    taken.add(own.toLowerCase());
    return own;
  });
}
