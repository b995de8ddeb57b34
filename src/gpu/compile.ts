/**
 * Compiling a call: from its final WGSL to a step that can be dispatched. Pipelines are cached by their source, and compile
 * side by side where the platform can. A shader's error is told with the line that it is about.
 */
import type { Call } from "./call.ts";
import type { Device } from "./device.ts";
import { GpuError } from "./error.ts";
import { type Slot, type Source, sourceOf } from "./source.ts";
import { placed } from "./tensor.ts";
import { formatWgsl } from "./wgsl_text.ts";

/** One dispatch. */
export interface Step {
  /** What was compiled. */
  readonly call: Call;
  /** Its program. */
  readonly pipeline: GPUComputePipeline;
  /** Its tensors, bound. */
  readonly group: GPUBindGroup;
  /** Workgroups along each dimension. */
  readonly grid: readonly [x: number, y: number, z: number];
  /** Invocations of one workgroup. */
  readonly workgroup: number;
}

/** Compiles a call whose tensors are all placed. @throws GpuError that names the call. */
export async function compile(device: Device, call: Call): Promise<Step> {
  const { own } = call;
  const label = own ? `${call.label} (${own.file})` : call.label;
  const source = sourceOf(call, device);
  const { wgsl, slots, workgroup, grid } = source;
  // Our own programs say of themselves what they bind; somebody else's need not.
  const key = own ? JSON.stringify([wgsl, slots.map(({ layout }) => layout)]) : wgsl;
  const { pipeline, layout } = cached(device, key, () => build(device, label, source, own ? wgsl : formatWgsl(wgsl)));
  try {
    const compiled = await pipeline;
    const group = device.make(label, () =>
      device.gpu.createBindGroup({
        label,
        layout,
        entries: slots.map((slot, binding) => ({ binding, resource: resourceOf(slot) })),
      }));
    return { call, pipeline: compiled, group, grid, workgroup: workgroup.reduce((all, size) => all * size, 1) };
  } catch (error) {
    device.cache.delete(key);
    if (error instanceof GpuError) throw error;
    await device.settle(); // a layout's own error says more than its pipeline's
    const { message } = error as Error;
    throw new GpuError("validation", label, own ? `${UNFIT}: ${message}` : message);
  }
}

/** What is wrong with somebody's own program where no line of it is. */
const UNFIT = 'its entry point "main", its workgroup\'s size or its bindings are none that can run here';

/** Encodes steps into a pass, in order. */
export function encode(pass: GPUComputePassEncoder, steps: readonly Step[]): void {
  for (const { pipeline, group, grid } of steps) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...grid);
  }
}

interface Compiled {
  pipeline: Promise<GPUComputePipeline>;
  layout: GPUBindGroupLayout;
}

/** Pipelines that a device keeps for plans to come: GoogLeNet's search from the embedded generator has 226, and networks take turns. */
const MOST_KEPT = 512;

/** A pipeline that is kept, or a new one in the place of what was used longest ago; plans hold their own. */
function cached({ cache }: Device, key: string, make: () => Compiled): Compiled {
  const entry = cache.get(key) as Compiled | undefined ?? make();
  // A map's first is what was set before all others.
  cache.delete(key);
  cache.set(key, entry);
  if (cache.size > MOST_KEPT) cache.delete(cache.keys().next().value!);
  return entry;
}

function build(device: Device, label: string, { slots }: Source, code: string): Compiled {
  const layout = device.make(label, () =>
    device.gpu.createBindGroupLayout({
      label,
      entries: slots.map((slot, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, ...slot.layout })),
    }));
  const module = device.make(label, () => device.gpu.createShaderModule({ label, code }));
  const pipelineLayout = device.make(
    label,
    () => device.gpu.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
  );
  const pipeline = device.gpu.createComputePipelineAsync({
    label,
    layout: pipelineLayout,
    compute: { module, entryPoint: "main" },
  });
  return { pipeline: pipeline.catch((error) => explain(device, label, module, code, error)), layout };
}

/** @throws GpuError with the compiler's message and the line that it is about, where it is the shader that failed. */
async function explain(
  device: Device,
  label: string,
  module: GPUShaderModule,
  code: string,
  error: Error,
): Promise<never> {
  const { messages } = await module.getCompilationInfo();
  const wrong = messages.find(({ type }) => type === "error");
  if (!wrong) throw error;
  await device.settle().catch(() => {}); // what the module's making left says the same without the line
  if (wrong.lineNum === 0) throw new Error(wrong.message.trim());
  const line = code.split("\n")[wrong.lineNum - 1]?.trim() ?? "";
  const message = wrong.message.trim().split("\n")[0].replace(/^Shader '.*?' /, "");
  throw new GpuError("validation", label, `WGSL line ${wrong.lineNum}, column ${wrong.linePos}: ${message}: ${line}`);
}

/** A placed tensor's part as it is bound. */
function resourceOf({ tensor, part }: Slot): GPUBindingResource {
  const memory = placed(tensor);
  const own = memory.parts[part];
  return memory.storage === "buffer"
    ? { buffer: own as GPUBuffer }
    : (own as GPUTexture).createView({ label: own.label });
}
