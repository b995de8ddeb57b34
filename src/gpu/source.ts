/**
 * The final WGSL of a call, and what it binds: a pure function of the call and its adapter. No device is needed.
 *
 *     enable …                       the features that it asks for
 *     @group(0) @binding(0) …        the parts of its tensors
 *     fn load_NAME, store_NAME …     their accessors
 *     fn kernel …                    its own code
 *     fn main                        calls `kernel`
 */
import { literal } from "../../shaders/wgsl.ts";
import { type Binding, type Call, type Epilogue, ownsWorkgroup, type WorkgroupCall } from "./call.ts";
import { GpuError } from "./error.ts";
import type { Adapter, Feature } from "./adapter.ts";
import { partsOf, partTexelsOf, ROW, type Tensor, wayOut } from "./tensor.ts";

/** One part of a tensor as a kernel binds it. */
export interface Slot {
  /** Its name in WGSL. */
  readonly name: string;
  readonly tensor: Tensor;
  readonly part: number;
  readonly declaration: string;
  readonly layout: Omit<GPUBindGroupLayoutEntry, "binding" | "visibility">;
}

/** A call as a shader module. */
export interface Source {
  readonly wgsl: string;
  /** In the order of their binding numbers. */
  readonly slots: readonly Slot[];
  readonly workgroup: readonly [x: number, y: number, z: number];
  /** Workgroups along each dimension. */
  readonly grid: readonly [x: number, y: number, z: number];
}

/** The final WGSL of a call on an adapter. @throws GpuError where the adapter cannot run it. */
export function sourceOf(call: Call, adapter: Adapter): Source {
  const made = madeSource(call, adapter);
  const { own } = call;
  return own ? { ...made, wgsl: own.wgsl, grid: own.grid ?? made.grid } : made;
}

/** The program that is made of a call's code. */
function madeSource(call: Call, adapter: Adapter): Source {
  checkCall(call, adapter);
  const images = readsImages(adapter, boundTextures(call, adapter));
  const slots: Slot[] = [];
  const accessors: string[] = [];
  for (const [name, { tensor, access, epilogue, halves }] of Object.entries(call.bindings)) {
    const own = slotsOf(adapter, name, tensor, access, images, halves);
    slots.push(...own);
    const load = halves ? halfLoader : loader;
    if (access !== "write") accessors.push(load(adapter, name, tensor, own, images));
    if (access === "read") continue;
    if (epilogue?.mask) {
      const mask = slotsOf(adapter, `${name}_mask`, epilogue.mask.tensor, "read", images);
      slots.push(...mask);
      accessors.push(loader(adapter, `${name}_mask`, epilogue.mask.tensor, mask, images));
    }
    accessors.push(storer(adapter, name, tensor, own, epilogue));
  }
  const { main, ...shape } = ownsWorkgroup(call) ? groupMain(call) : elementMain(call.invocations, adapter);
  const wgsl = [
    ...(call.features ?? []).map((feature) => `enable ${extensions[feature]};`),
    ...slots.map(({ declaration }, index) => `@group(0) @binding(${index}) ${declaration}`),
    ...accessors,
    call.code.trim(),
    main,
  ].join("\n");
  return { wgsl, slots, ...shape };
}

/** What WGSL calls the features. */
const extensions: Record<Feature, string> = { "shader-f16": "f16", subgroups: "subgroups" };

/** Invocations of one workgroup of a kernel of elements: the vector width of the CPU adapters, two wavefronts elsewhere. */
export const groupSize = ({ caps }: Adapter): number => caps.software ? caps.lanes : 64;

/** Calls `kernel` for each element. Groups beyond a dimension's limit go into equal rows, so that hardly any is there in vain. */
function elementMain(invocations: number, adapter: Adapter) {
  const size = groupSize(adapter);
  const groups = Math.ceil(invocations / size);
  const rows = Math.max(1, Math.ceil(groups / adapter.caps.maxGroups));
  const columns = Math.ceil(groups / rows);
  const main = `@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * ${columns}u + group.x) * ${size}u + lane;
  if (i < ${invocations}u) { kernel(i); }
}`;
  return { main, workgroup: [size, 1, 1] as const, grid: [columns, rows, 1] as const };
}

/** Calls `kernel` in every invocation of the grid. */
function groupMain({ workgroup, grid, features = [] }: WorkgroupCall) {
  const builtins = [
    ["workgroup_id", "group", "vec3u"],
    ["local_invocation_index", "lane", "u32"],
    ...features.includes("subgroups")
      ? [["subgroup_invocation_id", "subgroup_lane", "u32"], ["subgroup_size", "subgroup_size", "u32"]]
      : [],
  ];
  const parameters = builtins.map(([builtin, name, type]) => `@builtin(${builtin}) ${name}: ${type}`);
  const main = `@compute @workgroup_size(${workgroup.join(", ")})
fn main(${parameters.join(", ")}) { kernel(${builtins.map(([, name]) => name).join(", ")}); }`;
  return { main, workgroup, grid };
}

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
const partsIn = (storage: Tensor["storage"], tensors: readonly Tensor[], adapter: Adapter): number =>
  tensors.reduce((sum, tensor) => sum + (tensor.storage === storage ? partsOf(adapter, tensor) : 0), 0);

/** How many textures a call binds. */
function boundTextures(call: Call, adapter: Adapter): number {
  const { reading, writing } = bound(call);
  return partsIn("texture", [...reading, ...writing], adapter);
}

/**
 * Whether a call that binds so many textures reads them as storage images: an adapter that runs shaders on a CPU inlines
 * such a load, where one from a sampled texture is a call of a function that knows samplers.
 */
const readsImages = ({ caps }: Adapter, textures: number): boolean =>
  caps.storageReads && textures <= caps.maxStorageTextures;

/**
 * Makes sure that an adapter can run a call.
 * @throws GpuError: of kind `out-of-memory` that says how many parts are too many to bind at once; of kind `validation`
 * where a feature, workgroup or grid is more than the adapter has.
 */
export function checkCall(call: Call, adapter: Adapter): void {
  const { caps } = adapter;
  const { reading, writing } = bound(call);
  const refuse = (count: number, what: string, most: number) => {
    if (count <= most) return;
    const detail = `its tensors lie in ${count} ${what}, the adapter allows ${most} at once`;
    throw new GpuError("out-of-memory", call.label, `${detail}; ${wayOut}`);
  };
  refuse(partsIn("buffer", [...reading, ...writing], adapter), "buffers", caps.maxStorageBuffers);
  refuse(partsIn("texture", writing, adapter), "storage textures", caps.maxStorageTextures);
  if (!readsImages(adapter, boundTextures(call, adapter))) {
    refuse(partsIn("texture", reading, adapter), "textures", caps.maxSampledTextures);
  }
  for (const feature of call.features ?? []) {
    if (caps.features.includes(feature)) continue;
    throw new GpuError("validation", call.label, `it needs ${feature}, which the adapter does not have`);
  }
  if (ownsWorkgroup(call)) checkWorkgroup(call, adapter);
}

function checkWorkgroup({ label, workgroup, grid, workgroupBytes }: WorkgroupCall, { caps }: Adapter) {
  const fail = (detail: string): never => {
    throw new GpuError("validation", label, detail);
  };
  const invocations = workgroup.reduce((product, size) => product * size, 1);
  if (invocations > caps.maxWorkgroupInvocations || workgroup.some((size, axis) => size > caps.maxWorkgroup[axis])) {
    fail(
      `a workgroup of ${workgroup.join("×")}, the adapter allows ${caps.maxWorkgroupInvocations} invocations, ` +
        `${caps.maxWorkgroup.join("×")} along the axes`,
    );
  }
  if (workgroupBytes > caps.maxWorkgroupBytes) {
    fail(`${workgroupBytes} bytes of workgroup memory, the adapter has ${caps.maxWorkgroupBytes}`);
  }
  if (grid.some((count) => count > caps.maxGroups)) {
    fail(`a grid of ${grid.join("×")} workgroups, the adapter allows ${caps.maxGroups} along an axis`);
  }
}

/** The parts of a tensor as bindings. */
function slotsOf(
  adapter: Adapter,
  name: string,
  tensor: Tensor,
  access: Binding["access"],
  images: boolean,
  halves = false,
): Slot[] {
  const packed = tensor.format !== "f32";
  return Array.from({ length: partsOf(adapter, tensor) }, (_, part): Slot => {
    const own = { name: `${name}_${part}`, tensor, part };
    if (tensor.storage === "buffer") {
      const mode = access === "read" ? "read" : "read_write";
      return {
        ...own,
        declaration: `var<storage, ${mode}> ${own.name}: array<${halves ? "vec4<f16>" : packed ? "vec4u" : "vec4f"}>;`,
        layout: { buffer: { type: access === "read" ? "read-only-storage" : "storage" } },
      };
    }
    const format = packed ? "rgba32uint" : "rgba32float";
    if (access === "read" && !images) {
      return {
        ...own,
        declaration: `var ${own.name}: texture_2d<${packed ? "u32" : "f32"}>;`,
        layout: { texture: { sampleType: packed ? "uint" : "unfilterable-float" } },
      };
    }
    return {
      ...own,
      declaration: `var ${own.name}: texture_storage_2d<${format}, ${access === "read" ? "read" : "write"}>;`,
      layout: { storageTexture: { access: access === "read" ? "read-only" : "write-only", format } },
    };
  });
}

/** What `use` makes of each part and the index in it of texel `i` of all, or of a fraction of one; and texels of a part. */
function eachPart(adapter: Adapter, tensor: Tensor, slots: Slot[], use: Use, fractions = 1) {
  const texels = fractions * partTexelsOf(adapter, tensor);
  return { texels, uses: slots.map(({ name, part }) => use(name, part === 0 ? "i" : `i - ${part * texels}u`)) };
}

type Use = (name: string, index: string) => string;

/** One statement for each part, of which `i` chooses. */
function perPart({ texels, uses: [first, ...others] }: ReturnType<typeof eachPart>): string {
  return others.reduce((before, statement, n) => {
    const part = `if (i >= ${(n + 1) * texels}u) { ${statement} }`;
    return n === 0 ? `${part} else { ${before} }` : `${part} else ${before}`;
  }, first);
}

/**
 * Returns the value of the part that `i` chooses. In a loop, SwiftShader compiles eight branches in a third of a second; with 32, as
 * fully connected layers have, it had not ended after 40 s and 1.9 GB. There all parts are read.
 */
function returned({ texels, uses }: ReturnType<typeof eachPart>, { caps }: Adapter): string {
  if (!caps.swiftshader) return perPart({ texels, uses: uses.map((value) => `return ${value};`) });
  const value = uses.reduce((before, value, n) => `select(${before}, ${value}, i >= ${n * texels}u)`);
  return `return ${value};`;
}

const place2d = (index: string) => `vec2u((${index}) & ${ROW - 1}u, (${index}) / ${ROW}u)`;

function loader(adapter: Adapter, name: string, tensor: Tensor, slots: Slot[], images: boolean): string {
  const load = (part: string, index: string) =>
    tensor.storage === "buffer" ? `${part}[${index}]` : `textureLoad(${part}, ${place2d(index)}${images ? "" : ", 0"})`;
  const type = tensor.format === "f32" ? "vec4f" : "vec4u";
  return `fn load_${name}(i: u32) -> ${type} { ${returned(eachPart(adapter, tensor, slots, load), adapter)} }`;
}

/** As `loader`, for halves of texels of f16. */
function halfLoader(adapter: Adapter, name: string, tensor: Tensor, slots: Slot[], images: boolean): string {
  const load = (part: string, index: string) =>
    tensor.storage === "buffer"
      ? `${part}[${index}]`
      : `halves_of(textureLoad(${part}, ${place2d(`(${index}) / 2u`)}${images ? "" : ", 0"}), i & 1u)`;
  const unpack = `fn halves_of(texel: vec4u, second: u32) -> vec4<f16> {
  let halves = select(texel.xy, texel.zw, second == 1u);
  return vec4<f16>(vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y)));
}`;
  return `${tensor.storage === "buffer" ? "" : unpack}
fn load_${name}(i: u32) -> vec4<f16> { ${returned(eachPart(adapter, tensor, slots, load, 2), adapter)} }`;
}

function storer(adapter: Adapter, name: string, tensor: Tensor, slots: Slot[], epilogue: Epilogue = {}): string {
  const lines = ["var v = value;"];
  if (epilogue.relu) lines.push(`v = select(${literal(epilogue.relu.slope)} * v, v, v > vec4f());`);
  if (epilogue.mask) {
    const { slope, redirect } = epilogue.mask;
    const on = `load_${name}_mask(i) > vec4f()`;
    lines.push(`v = select(${literal(slope)} * v, v, ${redirect ? `(${on}) | (v > vec4f())` : on});`);
  }
  const store = (part: string, index: string) =>
    tensor.storage === "buffer" ? `${part}[${index}] = v;` : `textureStore(${part}, ${place2d(index)}, v);`;
  lines.push(perPart(eachPart(adapter, tensor, slots, store)));
  return `fn store_${name}(i: u32, value: vec4f) { ${lines.join(" ")} }`;
}
