/**
 * From a kernel's body to a step that can be dispatched.
 *
 * A `Call` is plain data: WGSL that defines `fn kernel(i: u32)` for invocation i, and named bindings that say in words
 * what it does with each tensor. Compiling it writes the declarations and the accessors
 *
 *     fn load_NAME(i: u32) -> vec4f          (vec4u for packed formats)
 *     fn store_NAME(i: u32, value: vec4f)
 *
 * for wherever the tensor lies (buffer or texture, one part or several), so that a kernel is written once. What a
 * plan fuses into a kernel (an activation, the mask of the activation before it) happens inside `store_NAME`.
 * Pipelines are cached by their source, and compile side by side where the platform can.
 */
import { literal } from "../../shaders/literal.ts";
import type { Device } from "./device.ts";
import { GpuError } from "./error.ts";
import { type Memory, placed, ROW, type Tensor, wayOut } from "./tensor.ts";

/** What happens to every value on its way into a tensor. */
export interface Epilogue {
  /** y = x > 0 ? x : slope · x. */
  relu?: { slope: number };
  /** dx = y > 0 ? dx : slope · dx, with y at the same texel: the gradient of the ReLU that made y. */
  mask?: { tensor: Tensor; slope: number };
}

/** One tensor as a kernel sees it. */
export interface Binding {
  readonly tensor: Tensor;
  readonly access: "read" | "write" | "update";
  readonly epilogue?: Epilogue;
}

/** A kernel and what it works on; plain data until `compile`. */
export interface Call {
  readonly label: string;
  readonly bindings: Readonly<Record<string, Binding>>;
  /** WGSL that defines `fn kernel(i: u32)`. */
  readonly code: string;
  /** How often `kernel` is called, i = 0 … invocations − 1. */
  readonly invocations: number;
  /** Multiplications and additions of one dispatch. */
  readonly flops: number;
}

/** One dispatch. */
export interface Step {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number];
  readonly flops: number;
}

/** The kernel reads this tensor: `load_NAME`. */
export const read = (tensor: Tensor): Binding => ({ tensor, access: "read" });
/** The kernel writes this tensor: `store_NAME`. */
export const write = (tensor: Tensor, epilogue?: Epilogue): Binding => ({ tensor, access: "write", epilogue });
/** The kernel reads and writes this tensor, which lies in a buffer: `load_NAME` and `store_NAME`. */
export const update = (tensor: Tensor): Binding => ({ tensor, access: "update" });

/** Tensors that a call reads and writes. */
export function traffic(call: Call): { reads: Tensor[]; writes: Tensor[] } {
  const reads: Tensor[] = [], writes: Tensor[] = [];
  for (const { tensor, access, epilogue } of Object.values(call.bindings)) {
    if (access !== "write") reads.push(tensor);
    if (access !== "read") writes.push(tensor);
    if (epilogue?.mask) reads.push(epilogue.mask.tensor);
  }
  return { reads, writes };
}

/** Invocations of one workgroup: the vector width of the CPU adapters, two wavefronts elsewhere. */
export const groupSize = (device: Device): number => device.caps.software ? device.caps.lanes : 64;

/** The tensors that a call binds to read and to write, once for each binding. */
function bound(call: Call): { reading: Tensor[]; writing: Tensor[] } {
  const bindings = Object.values(call.bindings);
  const masks = bindings.flatMap(({ epilogue }) => epilogue?.mask ? [epilogue.mask.tensor] : []);
  return {
    reading: bindings.filter(({ access }) => access === "read").map(({ tensor }) => tensor).concat(masks),
    writing: bindings.filter(({ access }) => access !== "read").map(({ tensor }) => tensor),
  };
}

/** Parts of those of the tensors that lie in this kind of storage. */
const partsIn = (storage: Tensor["storage"], tensors: readonly Tensor[], partsOf: (tensor: Tensor) => number): number =>
  tensors.reduce((sum, tensor) => sum + (tensor.storage === storage ? partsOf(tensor) : 0), 0);

/**
 * Whether a call that binds so many textures reads them as storage images: an adapter that runs shaders on a CPU inlines
 * such a load, where one from a sampled texture is a call of a function that knows samplers.
 */
const readsImages = ({ caps }: Device, textures: number): boolean =>
  caps.storageReads && textures <= caps.maxStorageTextures;

/**
 * Makes sure that a kernel may bind all of its tensors' parts at once.
 * @param partsOf In how many parts a tensor will lie.
 * @throws GpuError of kind `out-of-memory` that says how many are too many.
 */
export function checkBindings(device: Device, call: Call, partsOf: (tensor: Tensor) => number): void {
  const { caps } = device, { reading, writing } = bound(call);
  const refuse = (count: number, what: string, most: number) => {
    if (count <= most) return;
    const detail = `its tensors lie in ${count} ${what}, the adapter allows ${most} at once`;
    throw new GpuError("out-of-memory", call.label, `${detail}; ${wayOut}`);
  };
  const read = partsIn("texture", reading, partsOf), written = partsIn("texture", writing, partsOf);
  refuse(partsIn("buffer", [...reading, ...writing], partsOf), "buffers", caps.maxStorageBuffers);
  refuse(written, "storage textures", caps.maxStorageTextures);
  if (!readsImages(device, read + written)) refuse(read, "textures", caps.maxSampledTextures);
}

interface Slot {
  declaration: string;
  layout: Omit<GPUBindGroupLayoutEntry, "binding" | "visibility">;
  resource: GPUBindingResource;
}

/** Compiles a call whose tensors are all placed. @throws GpuError that names the call. */
export async function compile(device: Device, call: Call): Promise<Step> {
  const slots: Slot[] = [], accessors: string[] = [], { reading, writing } = bound(call);
  const textures = partsIn("texture", [...reading, ...writing], (tensor) => placed(tensor).parts.length);
  const images = readsImages(device, textures);
  for (const [name, { tensor, access, epilogue }] of Object.entries(call.bindings)) {
    const memory = placed(tensor), names = bindParts(slots, name, memory, access, images);
    if (access !== "write") accessors.push(loader(name, memory, names, images));
    if (access !== "read") {
      if (epilogue?.mask) {
        const mask = placed(epilogue.mask.tensor), maskName = `${name}_mask`;
        accessors.push(loader(maskName, mask, bindParts(slots, maskName, mask, "read", images), images));
      }
      accessors.push(storer(name, memory, names, epilogue));
    }
  }
  const size = groupSize(device), groups = Math.ceil(call.invocations / size);
  const columns = Math.min(groups, device.caps.maxGroups), rows = Math.ceil(groups / columns);
  const source = [
    ...slots.map((slot, index) => `@group(0) @binding(${index}) ${slot.declaration}`),
    ...accessors,
    call.code.trim(),
    `@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * ${columns}u + group.x) * ${size}u + lane;
  if (i < ${call.invocations}u) { kernel(i); }
}`,
  ].join("\n");
  const { pipeline: compiling, layout } = cached(device, source, () => {
    const layout = device.make(call.label, () =>
      device.gpu.createBindGroupLayout({
        label: call.label,
        entries: slots.map((slot, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, ...slot.layout })),
      }));
    const module = device.make(call.label, () => device.gpu.createShaderModule({ label: call.label, code: source }));
    const pipelineLayout = device.make(
      call.label,
      () => device.gpu.createPipelineLayout({ label: call.label, bindGroupLayouts: [layout] }),
    );
    const pipeline = device.gpu.createComputePipelineAsync({
      label: call.label,
      layout: pipelineLayout,
      compute: { module, entryPoint: "main" },
    });
    return { pipeline, layout };
  });
  const group = device.make(call.label, () =>
    device.gpu.createBindGroup({
      label: call.label,
      layout,
      entries: slots.map(({ resource }, binding) => ({ binding, resource })),
    }));
  try {
    return { label: call.label, pipeline: await compiling, group, grid: [columns, rows], flops: call.flops };
  } catch (error) {
    device.cache.delete(source);
    await device.settle(); // a shader's own error says more than its pipeline's
    throw new GpuError("validation", call.label, (error as Error).message);
  }
}

/** Encodes steps into a pass, in order. */
export function encode(pass: GPUComputePassEncoder, steps: readonly Step[]): void {
  for (const { pipeline, group, grid } of steps) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(grid[0], grid[1]);
  }
}

type Compiled = { pipeline: Promise<GPUComputePipeline>; layout: GPUBindGroupLayout };

function cached(device: Device, source: string, build: () => Compiled): Compiled {
  let entry = device.cache.get(source) as Compiled | undefined;
  if (!entry) device.cache.set(source, entry = build());
  return entry;
}

/** Declares the parts of a tensor as bindings and returns their WGSL names. */
function bindParts(slots: Slot[], name: string, memory: Memory, access: Binding["access"], images: boolean): string[] {
  return memory.parts.map((part, index) => {
    const variable = `${name}_${index}`, packed = memory.format !== "f32";
    if (memory.storage === "buffer") {
      slots.push({
        declaration: `var<storage, ${access === "read" ? "read" : "read_write"}> ${variable}: array<${
          packed ? "vec4u" : "vec4f"
        }>;`,
        layout: { buffer: { type: access === "read" ? "read-only-storage" : "storage" } },
        resource: { buffer: part as GPUBuffer },
      });
    } else {
      const resource = (part as GPUTexture).createView({ label: part.label });
      const format = packed ? "rgba32uint" : "rgba32float";
      if (access === "read" && !images) {
        slots.push({
          declaration: `var ${variable}: texture_2d<${packed ? "u32" : "f32"}>;`,
          layout: { texture: { sampleType: packed ? "uint" : "unfilterable-float" } },
          resource,
        });
      } else {
        slots.push({
          declaration: `var ${variable}: texture_storage_2d<${format}, ${access === "read" ? "read" : "write"}>;`,
          layout: { storageTexture: { access: access === "read" ? "read-only" : "write-only", format } },
          resource,
        });
      }
    }
    return variable;
  });
}

/** One expression or statement per part, chosen by the texel's index. */
function perPart(names: string[], partTexels: number, use: (name: string, index: string) => string): string {
  if (names.length === 1) return use(names[0], "i");
  return names.map((name, part) => {
    const body = use(name, part === 0 ? "i" : `i - ${part * partTexels}u`);
    return part === names.length - 1 ? body : `if (i < ${(part + 1) * partTexels}u) { ${body} } else`;
  }).join(" ").replace(/else (?!if)(.*)$/, "else { $1 }");
}

const place2d = (index: string) => `vec2u((${index}) & ${ROW - 1}u, (${index}) / ${ROW}u)`;

function loader(name: string, memory: Memory, names: string[], images: boolean): string {
  const type = memory.format === "f32" ? "vec4f" : "vec4u";
  const body = perPart(
    names,
    memory.partTexels,
    (part, index) =>
      memory.storage === "buffer"
        ? `return ${part}[${index}];`
        : `return textureLoad(${part}, ${place2d(index)}${images ? "" : ", 0"});`,
  );
  return `fn load_${name}(i: u32) -> ${type} { ${body} }`;
}

function storer(name: string, memory: Memory, names: string[], epilogue: Epilogue = {}): string {
  const lines = ["var v = value;"];
  if (epilogue.relu) lines.push(`v = select(${literal(epilogue.relu.slope)} * v, v, v > vec4f());`);
  if (epilogue.mask) {
    lines.push(`v = select(${literal(epilogue.mask.slope)} * v, v, load_${name}_mask(i) > vec4f());`);
  }
  lines.push(
    perPart(
      names,
      memory.partTexels,
      (part, index) =>
        memory.storage === "buffer" ? `${part}[${index}] = v;` : `textureStore(${part}, ${place2d(index)}, v);`,
    ),
  );
  return `fn store_${name}(i: u32, value: vec4f) { ${lines.join(" ")} }`;
}
