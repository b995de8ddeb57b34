/**
 * How many multiply-adds a kernel really executes: its WGSL is run with a count kept beside every `fma(`, which multiplies
 * four values at a time here. A `fma` in a `select` or behind `&&` counts as if it were executed.
 */
import assert from "node:assert/strict";
import type { Call } from "../../src/gpu/call.ts";
import type { Device } from "../../src/gpu/device.ts";
import { sourceOf } from "../../src/gpu/source.ts";
import { placed } from "../../src/gpu/tensor.ts";
import { formatWgsl } from "../../src/gpu/wgsl_text.ts";

/** Values that one `fma(` multiplies and adds. */
const WIDTH = 4;

/** The WGSL of a kernel that adds its invocations' multiply-adds, in units of `WIDTH`, to a counter at this binding. */
export function tallied(wgsl: string, binding: number): string {
  const lines = formatWgsl(wgsl).split("\n").flatMap((line) => {
    const count = line.split(/\bfma\(/).length - 1;
    if (count === 0) return [line];
    assert.match(line, /;$/, `a statement of its own: ${line}`);
    return [`tally += ${count}u;`, line];
  });
  const end = lines.lastIndexOf("}"); // main is the last function
  assert.ok(lines.slice(0, end).join("\n").lastIndexOf("\nfn main(") > 0 && end > 0, "main comes last");
  const directives = lines.filter((line) => line.startsWith("enable "));
  return [
    ...directives,
    `@group(0) @binding(${binding}) var<storage, read_write> tallies: atomic<u32>;`,
    "var<private> tally: u32;",
    ...lines.slice(0, end).filter((line) => !line.startsWith("enable ")),
    "atomicAdd(&tallies, tally);",
    ...lines.slice(end),
  ].join("\n");
}

/** Runs a call whose tensors are placed and counts its multiply-adds, fewer than 2³⁴. */
export async function executedMultiplyAdds(device: Device, call: Call): Promise<number> {
  const { wgsl, slots, grid } = sourceOf(call, device);
  const { gpu } = device;
  const counter = gpu.createBuffer({
    label: "tallies",
    size: 4,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const staging = gpu.createBuffer({
    label: "tallies read",
    size: 4,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const resources = slots.map(({ tensor, part }): GPUBindingResource => {
    const { storage, parts } = placed(tensor);
    return storage === "buffer" ? { buffer: parts[part] as GPUBuffer } : (parts[part] as GPUTexture).createView();
  });
  const layouts = [...slots.map(({ layout }) => layout), { buffer: { type: "storage" as const } }];
  const { label } = call;
  const step = device.make(label, () => {
    const layout = gpu.createBindGroupLayout({
      label,
      entries: layouts.map((own, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, ...own })),
    });
    const module = gpu.createShaderModule({ label, code: tallied(wgsl, slots.length) });
    const pipeline = gpu.createComputePipeline({
      label,
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    const entries = [...resources, { buffer: counter }].map((resource, binding) => ({ binding, resource }));
    return { pipeline, group: gpu.createBindGroup({ label, layout, entries }) };
  });
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(step.pipeline);
  pass.setBindGroup(0, step.group);
  pass.dispatchWorkgroups(...grid);
  pass.end();
  encoder.copyBufferToBuffer(counter, 0, staging, 0, 4);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const [count] = new Uint32Array(staging.getMappedRange());
  await device.settle();
  for (const buffer of [counter, staging]) buffer.destroy();
  return WIDTH * count;
}
