/**
 * Inside a Mesa that compiles for a GPU which is not there: makes the plan, then compiles its kernels one by one. Mesa
 * prints their code on stderr, each behind a mark; what is dispatched goes to stdout as JSON. The argument is the `Task`
 * as JSON.
 */
import { basename } from "node:path";
import { openClassifier, openGenerator } from "../../src/cli/defaults.ts";
import { readBytes } from "../../src/cli/files.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { Call } from "../../src/gpu/call.ts";
import { type Device, openDevice } from "../../src/gpu/device.ts";
import { GpuError } from "../../src/gpu/error.ts";
import { type Source, sourceOf } from "../../src/gpu/source.ts";
import { placed, type Tensor, TEXEL } from "../../src/gpu/tensor.ts";
import { formatWgsl } from "../../src/gpu/wgsl_text.ts";
import { Net } from "../../src/net/net.ts";
import type { Plan } from "../../src/net/plan.ts";
import { count } from "../../src/ops/op.ts";
import { Climb } from "../../src/synth/climb.ts";
import { join } from "../../src/synth/joined.ts";
import { settleObjective } from "../../src/synth/objective.ts";
import { searchDefaults } from "../../src/synth/options.ts";
import { unitsTarget } from "../../src/synth/target.ts";
import type { Dispatch, Task } from "./compile.ts";
import { mark } from "./listing.ts";
import { openOrZeros } from "./zeros.ts";

const write = (stream: typeof Deno.stderr, text: string) => {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
};

/** The plan that a task is about. */
async function planOf(device: Device, task: Task): Promise<Plan> {
  const { batch, weights, arithmetic } = task;
  if (task.model) {
    return (await Net.create(device, await openOrZeros(task.model), { batch, gradient: true, weights, arithmetic }))
      .plan;
  }
  const joined = join(
    task.generator ? await openOrZeros(task.generator) : await openGenerator(),
    task.classifier ? await openOrZeros(task.classifier) : await openClassifier(),
  );
  const climb = await Climb.create(device, joined, {
    ...searchDefaults(),
    iterations: 1,
    codes: new Float32Array(batch * count(joined.code.shape)),
    objective: settleObjective(joined, Array.from({ length: batch }, () => unitsTarget({ units: [0] }))),
  }, { weights, arithmetic });
  return climb.plan;
}

/** Bytes of weights that a call reads behind the binding numbers that hold any. */
function weightsOf(call: Call, { slots }: Source, weights: ReadonlySet<Tensor>): [binding: number, bytes: number][] {
  const touched = new Map(Object.values(call.bindings).map(({ tensor, touched }) => [tensor, touched]));
  return slots.flatMap(({ tensor, part }, binding) => {
    if (!weights.has(tensor)) return [];
    const { parts, partTexels } = placed(tensor);
    const texels = part < parts.length - 1 ? partTexels : tensor.texels - part * partTexels;
    const share = (touched.get(tensor) ?? tensor.texels) / tensor.texels;
    return [[binding, share * texels * TEXEL]];
  });
}

/** Compiles a kernel by itself, behind its mark; its bindings are those of its source, or what its WGSL uses. */
function compileAlone(device: Device, kernel: number, label: string, code: string, slots?: Source["slots"]): void {
  write(Deno.stderr, mark(kernel));
  device.make(label, () => {
    const module = device.gpu.createShaderModule({ label, code });
    return device.gpu.createComputePipeline({
      label,
      layout: slots ? layoutOf(device, label, slots) : "auto",
      compute: { module, entryPoint: "main" },
    });
  });
}

function layoutOf({ gpu }: Device, label: string, slots: Source["slots"]): GPUPipelineLayout {
  const entries = slots.map(({ layout }, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, ...layout }));
  return gpu.createPipelineLayout({ label, bindGroupLayouts: [gpu.createBindGroupLayout({ label, entries })] });
}

async function run(task: Task): Promise<Dispatch[]> {
  const device = await openDevice();
  if (task.wgsl) {
    const { file, groups, multiplyAdds } = task.wgsl;
    compileAlone(device, 0, file, new TextDecoder().decode(await readBytes(file)));
    await device.settle();
    return [{ label: basename(file), kernel: 0, grid: [groups, 1, 1], flops: 0, multiplyAdds, weights: [] }];
  }
  const { steps, weights } = await planOf(device, task);
  const kernels = new Map<string, number>();
  const dispatches = steps.map(({ call }): Dispatch => {
    const source = sourceOf(call, device);
    const { wgsl, slots, grid } = source;
    const { label, flops, multiplyAdds } = call;
    const kernel = kernels.get(wgsl) ?? kernels.size;
    if (!kernels.has(wgsl)) compileAlone(device, kernel, label, formatWgsl(wgsl), slots);
    kernels.set(wgsl, kernel);
    return { label, kernel, grid, flops, multiplyAdds, weights: weightsOf(call, source, weights) };
  });
  await device.settle();
  return dispatches;
}

try {
  write(Deno.stdout, JSON.stringify({ dispatches: await run(JSON.parse(Deno.args[0])) }));
} catch (error) {
  if (!(error instanceof UserError || error instanceof GpuError)) throw error;
  write(Deno.stdout, JSON.stringify({ sentence: error.message }));
}
Deno.exit(0); // the device that is not there has nothing to wait for
