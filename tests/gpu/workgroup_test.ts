/**
 * Kernels that own their workgroup: shared memory, barriers, grids of two dimensions and f16 arithmetic, alone and in a plan
 * beside kernels of elements; and what an adapter cannot run, told before it is tried. (Subgroups run in the browser's test.)
 */
import assert from "node:assert/strict";
import { type Call, ownsWorkgroup, read, type WorkgroupCall, write } from "../../src/gpu/call.ts";
import { compile, encode } from "../../src/gpu/compile.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { GpuError } from "../../src/gpu/error.ts";
import { sourceOf } from "../../src/gpu/source.ts";
import { download, place, run, type Tensor, upload } from "../../src/gpu/tensor.ts";
import { formatWgsl } from "../../src/gpu/wgsl_text.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { buildPlan } from "../../src/net/plan.ts";
import { caseModel } from "../net/case_model.ts";

const device = await openDevice();
const WIDTH = 40;
const HEIGHT = 24;

/** y = the transpose of a matrix of texels, by way of tiles of 8×8 in workgroup memory. */
function transpose(x: Tensor, y: Tensor): WorkgroupCall {
  return {
    label: "transpose",
    bindings: { x: read(x), y: write(y) },
    code: `
var<workgroup> tile: array<vec4f, 64>;
fn kernel(group: vec3u, lane: u32) {
  let column = lane % 8u;
  let row = lane / 8u;
  tile[row * 8u + column] = load_x((group.y * 8u + row) * ${WIDTH}u + group.x * 8u + column);
  workgroupBarrier();
  store_y((group.x * 8u + row) * ${HEIGHT}u + group.y * 8u + column, tile[column * 8u + row]);
}`,
    workgroup: [8, 8, 1],
    grid: [WIDTH / 8, HEIGHT / 8, 1],
    workgroupBytes: 1024,
    flops: 0,
  };
}

const numbers = Float32Array.from({ length: 4 * WIDTH * HEIGHT }, (_, n) => n);
const transposed = Float32Array.from(numbers, (_, n) => {
  const texel = n >> 2;
  return numbers[4 * (texel % HEIGHT * WIDTH + Math.floor(texel / HEIGHT)) + (n & 3)];
});

async function runCall(call: Call, x: Tensor, values: Float32Array<ArrayBuffer>, y: Tensor): Promise<Float32Array> {
  for (const tensor of [x, y]) place(device, tensor);
  upload(device, x, new Uint8Array(values.buffer));
  const step = await compile(device, call);
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass, [step]);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  return new Float32Array((await download(device, y)).buffer);
}

for (const storage of ["buffer", "texture"] as const) {
  Deno.test(`${storage}: a kernel with workgroup memory, a barrier and a grid of two dimensions`, async () => {
    const x = run("x", WIDTH * HEIGHT, storage);
    const y = run("y", WIDTH * HEIGHT, storage);
    assert.deepEqual(await runCall(transpose(x, y), x, numbers, y), transposed);
  });
}

/** y = x · x + 1 in f16. */
const halves = (x: Tensor, y: Tensor): WorkgroupCall => ({
  label: "halves",
  bindings: { x: read(x), y: write(y) },
  code: `
fn kernel(group: vec3u, lane: u32) {
  let i = group.x * 32u + lane;
  let v = vec4<f16>(load_x(i));
  store_y(i, vec4f(fma(v, v, vec4<f16>(1.0))));
}`,
  workgroup: [32, 1, 1],
  grid: [x.texels / 32, 1, 1],
  workgroupBytes: 0,
  features: ["shader-f16"],
  flops: 2 * 4 * x.texels,
});

Deno.test({
  name: "a kernel in f16 arithmetic",
  ignore: !device.caps.features.includes("shader-f16"),
  async fn() {
    const values = Float32Array.from({ length: 4 * 64 }, (_, n) => Math.f16round(n / 37));
    const x = run("x", 64, "buffer");
    const y = run("y", 64, "buffer");
    const result = await runCall(halves(x, y), x, values, y);
    result.forEach((value, n) => {
      const exact = values[n] ** 2 + 1;
      assert.ok(Math.abs(value - exact) <= 2 ** -10 * exact, `${value}, expected ${exact}`);
      assert.equal(value, Math.f16round(value));
    });
  },
});

Deno.test("in a plan, beside kernels of elements", async () => {
  const network = {
    name: "grid",
    inputs: [{ name: "x0", shape: [4, HEIGHT, WIDTH] }],
    layers: [{ name: "relu", type: "relu", input: "x0", slope: 0 }, { name: "tanh", type: "tanh", input: "relu" }],
  };
  const graph = buildGraph(caseModel({ network, weights: new Map() }));
  const [input] = graph.inputs;
  const turned = run("turned", WIDTH * HEIGHT, "buffer");
  const rounded = run("rounded", WIDTH * HEIGHT, "buffer");
  const f16 = device.caps.features.includes("shader-f16");
  using plan = await buildPlan(device, {
    graph,
    batch: 1,
    wanted: [graph.output],
    gradient: { of: [graph.output], to: input },
    seed: ({ of, dy }) => [
      transpose(of(graph.output), turned),
      ...f16 ? [halves(turned, rounded)] : [],
      {
        label: "dy",
        bindings: { x: read(f16 ? rounded : turned), y: write(dy![0]) },
        code: "fn kernel(i: u32) { store_y(i, load_x(i)); }",
        invocations: WIDTH * HEIGHT,
        flops: 0,
      },
    ],
  });
  const small = numbers.map((value) => (value - 1000) / 1000);
  upload(device, plan.tensors.of(input), new Uint8Array(small.buffer));
  plan.submit();
  const dx = new Float32Array((await download(device, plan.tensors.dx!)).buffer);
  const y = Float64Array.from(small, (value) => Math.tanh(Math.max(value, 0)));
  dx.forEach((value, n) => {
    const texel = n >> 2;
    const from = y[4 * (texel % HEIGHT * WIDTH + Math.floor(texel / HEIGHT)) + (n & 3)];
    const dy = f16 ? from ** 2 + 1 : from;
    const expected = small[n] > 0 ? dy * (1 - y[n] ** 2) : 0;
    assert.ok(Math.abs(value - expected) < 2e-3, `${value}, expected ${expected}`);
  });
  assert.ok(plan.steps.some(({ call }) => ownsWorkgroup(call)));
});

Deno.test("the final WGSL of a call is had without a device", () => {
  const { caps } = device;
  const x = run("x", 5000, "buffer");
  const y = run("y", 5000, "texture");
  const adapter = { caps: { ...caps, maxBinding: 2000 * 16, software: false }, storage: "buffer" } as const;
  const element: Call = {
    label: "copy",
    bindings: { x: read(x), y: write(y, { relu: { slope: 0.5 } }) },
    code:
      "fn kernel(i: u32) { for (var k = 0u; k < 4u; k++) { if (k == 3u) { store_y(i, load_x(i)); } else { continue; } } }",
    invocations: 5000,
    flops: 0,
  };
  const { wgsl, slots, workgroup, grid } = sourceOf(element, adapter);
  assert.deepEqual(slots.map(({ name }) => name), ["x_0", "x_1", "x_2", "y_0"]);
  assert.deepEqual([workgroup, grid], [[64, 1, 1], [79, 1, 1]]);
  assert.equal(
    formatWgsl(wgsl),
    `@group(0) @binding(0) var<storage, read> x_0: array<vec4f>;
@group(0) @binding(1) var<storage, read> x_1: array<vec4f>;
@group(0) @binding(2) var<storage, read> x_2: array<vec4f>;
@group(0) @binding(3) var y_0: texture_storage_2d<rgba32float, write>;

fn load_x(i: u32) -> vec4f {
  if (i >= 3968u) {
    return x_2[i - 3968u];
  } else if (i >= 1984u) {
    return x_1[i - 1984u];
  } else {
    return x_0[i];
  }
}

fn store_y(i: u32, value: vec4f) {
  var v = value;
  v = select(0.5f * v, v, v > vec4f());
  textureStore(y_0, vec2u((i) & 1023u, (i) / 1024u), v);
}

fn kernel(i: u32) {
  for (var k = 0u; k < 4u; k++) {
    if (k == 3u) {
      store_y(i, load_x(i));
    } else {
      continue;
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * 79u + group.x) * 64u + lane;
  if (i < 5000u) {
    kernel(i);
  }
}
`,
  );
  const group = sourceOf({ ...transpose(x, y), features: ["subgroups", "shader-f16"] }, {
    ...adapter,
    caps: { ...adapter.caps, features: ["subgroups", "shader-f16"] },
  });
  assert.match(group.wgsl, /^enable subgroups;\nenable f16;\n/);
  assert.match(group.wgsl, /@workgroup_size\(8, 8, 1\)/);
  assert.match(group.wgsl, /kernel\(group, lane, subgroup_lane, subgroup_size\)/);
});

Deno.test("WGSL is set anew: a statement a line, members on their own, a blank line around functions", () => {
  const source = `const A = 1u; const B = 2u;
struct Pair { first: u32,
  second: u32,
}
fn add(p: Pair,
  q: u32) -> u32 { return p.first + p.second + q; } // two and one
// Nothing; or all.
fn none() { }
const C = 3u;
var<workgroup> shared_sums: array<vec4f, 8>;`;
  assert.equal(
    formatWgsl(source),
    `const A = 1u;
const B = 2u;

struct Pair {
  first: u32,
  second: u32,
}

fn add(p: Pair, q: u32) -> u32 {
  return p.first + p.second + q;
} // two and one

// Nothing; or all.
fn none() {
}

const C = 3u;
var<workgroup> shared_sums: array<vec4f, 8>;
`,
  );
});

Deno.test("what an adapter cannot run is refused in a sentence", () => {
  const x = run("x", WIDTH * HEIGHT, "buffer");
  const good = transpose(x, run("y", WIDTH * HEIGHT, "buffer"));
  const adapter = {
    caps: {
      ...device.caps,
      features: [],
      maxWorkgroup: [64, 64, 4] as const,
      maxWorkgroupInvocations: 64,
      maxWorkgroupBytes: 1024,
      maxGroups: 100,
    },
    storage: "buffer" as const,
  };
  const refuses = (changes: Partial<WorkgroupCall>, message: RegExp) =>
    assert.throws(() => sourceOf({ ...good, ...changes }, adapter), (error) => {
      assert.ok(error instanceof GpuError);
      assert.match(error.message, message);
      return true;
    });
  sourceOf(good, adapter);
  refuses({ features: ["shader-f16"] }, /^transpose: it needs shader-f16, which the adapter does not have$/);
  refuses({ workgroup: [8, 16, 1] }, /a workgroup of 8×16×1, the adapter allows 64 invocations, 64×64×4/);
  refuses({ workgroup: [1, 1, 8] }, /a workgroup of 1×1×8/);
  refuses({ workgroupBytes: 1025 }, /1025 bytes of workgroup memory, the adapter has 1024/);
  refuses({ grid: [1, 101, 1] }, /a grid of 1×101×1 workgroups, the adapter allows 100/);
});

Deno.test("a shader's error is told with its line", async () => {
  const x = place(device, run("x", WIDTH * HEIGHT, "buffer"));
  const y = place(device, run("y", WIDTH * HEIGHT, "buffer"));
  const good = transpose(x, y);
  const broken = { ...good, code: good.code.replace("lane / 8u", "lane / seven") };
  await assert.rejects(compile(device, broken), {
    kind: "validation",
    message: /^transpose: WGSL line \d+, column \d+: .*seven.*: let row = lane \/ seven;$/,
  });
});
