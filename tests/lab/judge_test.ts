/** Kernels of somebody's own: right ones are let in, wrong ones of every kind are refused with where and by how much. */
import assert from "node:assert/strict";
import type { OwnProgram } from "../../src/gpu/call.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { contestOf, judge, verdictLine } from "../../src/lab/judge.ts";
import { dumped } from "../../src/lab/dump.ts";
import { KINDS } from "../../src/lab/numbers.ts";
import { type OwnKernel, replacing } from "../../src/lab/replace.ts";
import { Trial } from "../../src/lab/trial.ts";
import { buildGraph } from "../../src/net/graph.ts";
import type { PlannedKernel } from "../../src/net/kernels.ts";
import { buildPlan, type Plan, type PlanRequest } from "../../src/net/plan.ts";
import { caseNetwork } from "../cases/case.ts";
import { randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import { smallWayCases } from "../ops/check_ways.ts";
import type { Network } from "../reference/network.ts";
import { pretend } from "../gpu/pretend.ts";

const device = await openDevice();

/** Odd channels, a fused ReLU, a mask, a pool that keeps what it found, a sum of gradients. */
const network: Network = {
  name: "odd",
  inputs: [{ name: "data", shape: [3, 9, 9] }],
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 5, kernel: 3, padding: 1 },
    { name: "relu1", type: "relu", input: "conv1", output: "conv1", slope: 0.1 },
    { name: "pool1", type: "maxpool", input: "conv1", kernel: 3, stride: 2 },
    { name: "conv2", type: "conv2d", input: "pool1", channels: 6, kernel: 3, padding: 1 },
    { name: "conv3", type: "conv2d", input: "pool1", channels: 6, kernel: 1 },
    { name: "sum", type: "eltwise", inputs: ["conv2", "conv3"], operation: "sum" },
    { name: "fc", type: "fc", input: "sum", channels: 7 },
  ],
};
const graph = buildGraph(caseModel({ network, weights: randomWeights(network) }));

const request: PlanRequest = {
  graph,
  batch: 2,
  wanted: [graph.output],
  gradient: { of: [graph.output], to: graph.inputs[0] },
};

/** A plan of the network, forward and back, with programs in the place of kernels. */
function planWith(programs: (kernel: PlannedKernel) => string | undefined, grid?: OwnProgram["grid"]): Promise<Plan> {
  return buildPlan(device, {
    ...request,
    replace: (kernels) =>
      new Map(kernels.flatMap((kernel) => {
        const wgsl = programs(kernel);
        return wgsl === undefined ? [] : [[kernel, { wgsl, file: "mine.wgsl", grid }]];
      })),
  });
}

const ours = (kernel: PlannedKernel) => dumped(kernel, device).wgsl;

const verdictOfNothing = {
  ...{ kernel: "conv1", file: "mine.wgsl", way: "direct", trials: 4, beside: "float64" as const },
  ...{ off: 0, oursOff: 0 },
};

/** What the judge says of one kernel in another's place, made from ours. */
async function verdictOn(name: string, change: (wgsl: string) => string) {
  using plan = await planWith((kernel) => kernel.name === name ? change(ours(kernel)) : undefined);
  return await judge(device, plan, 1);
}

/** The text with a part exchanged, which has to be there. */
function exchanged(text: string, part: string | RegExp, other: string): string {
  const result = text.replace(part, other);
  assert.notEqual(result, text, `${part} is not in\n${text}`);
  return result;
}

Deno.test("every kernel of a plan may be replaced by its own text", async () => {
  using plan = await planWith(ours);
  const names = plan.kernels.map(({ name }) => name);
  assert.ok(
    ["conv1", "pool1.gradient", "sum at pool1", "fc.gradient"].every((name) => names.includes(name)),
    `${names}`,
  );
  assert.equal(new Set(names).size, names.length);
  const verdicts = await judge(device, plan, 1);
  assert.deepEqual(verdicts.map(({ kernel }) => kernel), names);
  for (const verdict of verdicts) {
    assert.equal(verdict.off, verdict.oursOff, verdict.kernel);
    assert.equal(verdict.beside, verdict.kernel === "sum at pool1" ? "ours" : "float64");
    assert.ok(verdict.off < 1e-5 && verdict.ms! > 0 && verdict.oursMs! > 0 && verdict.ratio! > 0);
  }
  assert.match(
    verdictLine(verdicts[0]),
    /^conv1: mine\.wgsl in place of .+: [\d.]+ ms, ours [\d.]+ ms, ratio [\d.]+( is within the noise)? \([\d.]+ to [\d.]+\); off by .+ of the largest value, ours by .+, in 4 trials$/,
  );
});

Deno.test("a ratio is that of the best turns, which lies between those of their parts; where these disagree it is noise", () => {
  const line = (own: number[], others: number[]) =>
    verdictLine({ ...verdictOfNothing, ...contestOf(own, others) }).split("; ")[0];
  const busy = (ms: number, slow: number[]) => Array.from({ length: 15 }, (_, n) => slow.includes(n) ? 9 * ms : ms);
  assert.equal(
    line(busy(0.5, [1, 2, 7]), busy(1, [0, 1, 8, 9, 10])),
    "conv1: mine.wgsl in place of direct: 0.500 ms, ours 1.00 ms, ratio 0.5 (0.5 to 0.5)",
  );
  assert.equal(
    line(busy(1, [3, 4, 5]), busy(1, [12, 13, 14])),
    "conv1: mine.wgsl in place of direct: 1.00 ms, ours 1.00 ms, ratio 1 is within the noise (0.11 to 9)",
  );
  assert.match(line([3], [2]), /: 3\.00 ms, ours 2\.00 ms, ratio 1\.5 \(1\.5 to 1\.5\)$/);
});

Deno.test("a kernel that is right otherwise is right", async () => {
  const [verdict] = await verdictOn(
    "conv1",
    (wgsl) => exchanged(wgsl, "var v = value;", "var v = value + value - value;"),
  );
  assert.ok(verdict.off < 1e-5);
});

/** Changes that make a kernel wrong, and what is said of them. */
const wrong: [what: string, kernel: string, part: string | RegExp, other: string, said: RegExp][] = [
  [
    "a constant",
    "conv1",
    "var v = value;",
    "var v = vec4f(0.5);",
    /^conv1 by mine\.wgsl is wrong: its output of item \d at \[\d, \d, \d\] is .* where float64 has .*, off by .* of the largest value \(allowed: .*\); \d+ of \d+ values are wrong$/,
  ],
  [
    "a constant gradient",
    "conv2.gradient",
    "var v = value;",
    "var v = vec4f();",
    /the gradient to its input of item .* is 0 where float64 has /,
  ],
  [
    "NaN",
    "conv2",
    "var v = value;",
    "var v = value; v.x = bitcast<f32>(bitcast<u32>(v.x) | 0x7fc00000u);",
    /its output of item \d at .* is NaN where float64 has /,
  ],
  [
    "off by one position",
    "fc",
    /fn store_y\(i: u32, value: vec4f\) \{/,
    "fn store_y(k: u32, value: vec4f) {\n  let i = k ^ 1u;",
    /its output of item/,
  ],
  [
    "unwritten at the end",
    "conv1",
    /fn store_y\(i: u32, value: vec4f\) \{/,
    "fn store_y(i: u32, value: vec4f) {\n  if (i == 300u) { return; }",
    /is not written|was not written where float64 has/,
  ],
  ["without the mask", "pool1.gradient", /select\([^;]*mask[^;]*\);/, "v;", /the gradient to its input of item/],
  [
    "right where all inputs are the same",
    "pool1",
    /fn store_y\(i: u32, value: vec4f\) \{/,
    "fn store_y(i: u32, value: vec4f) {\n  store_y_(i, load_x(0u));\n}\nfn store_y_(i: u32, value: vec4f) {",
    /its output of item/,
  ],
  [
    "a sum that forgets one",
    "sum at pool1",
    "var v = value;",
    "var v = value * 0.999;",
    /^sum at pool1 by mine\.wgsl is wrong: /,
  ],
  [
    "NaN where nobody looks",
    "conv1",
    "var v = value;",
    "var v = value; if (i >= 81u) { v.w = bitcast<f32>(bitcast<u32>(v.w) | 0x7fc00000u); }",
    /its output has NaN in a channel that pads texel \d+; zero belongs there$/,
  ],
];

for (const [what, kernel, part, other, said] of wrong) {
  Deno.test(`a wrong kernel is refused: ${what}`, async () => {
    await assert.rejects(verdictOn(kernel, (wgsl) => exchanged(wgsl, part, other)), (error: Error) => {
      assert.equal(error.name, "UserError", error.stack);
      assert.match(error.message, said);
      return true;
    });
  });
}

Deno.test("a program that does not compile is told with file and line", async () => {
  const broken = (kernel: PlannedKernel) =>
    kernel.name === "conv1" ? `// mine\n${exchanged(ours(kernel), "var v = value;", "var v = valu;")}` : undefined;
  const { wgsl } = await wgslOf("conv1");
  const line = wgsl.split("\n").findIndex((text) => text.includes("var v = value;")) + 2;
  await assert.rejects(planWith(broken), {
    name: "GpuError",
    message: new RegExp(`^conv1 \\(mine\\.wgsl\\): WGSL line ${line}, column \\d+: .*valu.*: var v = valu;$`),
  });
});

Deno.test("a program of which no line is wrong is told in our words before the driver's", async () => {
  const said =
    /^conv1 \(mine\.wgsl\): its entry point "main", its workgroup's size or its bindings are none that can run here: ./;
  const unfit: [part: RegExp, other: string][] = [
    [/@workgroup_size\(.*?\)/, "@workgroup_size(2048)"],
    [/@workgroup_size\(.*?\)/, "@workgroup_size(65536)"],
    [/fn main\(/, "fn start("],
    [/@binding\(0\)/, "@binding(9)"],
  ];
  for (const [part, other] of unfit) {
    const change = (kernel: PlannedKernel) =>
      kernel.name === "conv1" ? exchanged(ours(kernel), part, other) : undefined;
    await assert.rejects(planWith(change), { name: "GpuError", message: said });
  }
});

/** The plan's kernels as its request sees them, before any memory is taken. */
async function unplaced(): Promise<readonly PlannedKernel[]> {
  let seen: readonly PlannedKernel[] = [];
  const look = (kernels: readonly PlannedKernel[]) => {
    seen = kernels;
    throw new Error("seen");
  };
  await assert.rejects(buildPlan(device, { ...request, replace: look }), { message: "seen" });
  return seen;
}

async function wgslOf(name: string) {
  using plan = await planWith(() => undefined);
  return dumped(plan.kernels.find((kernel) => kernel.name === name)!, device);
}

Deno.test("programs are found by name, and what stands beside them is checked", async () => {
  const { wgsl, json } = await wgslOf("conv1");
  const facts = JSON.parse(json);
  assert.deepEqual(facts.bindings.map(({ name }: { name: string }) => name), ["x_0", "w_0", "y_0", "bias_0"]);
  const kernels = await unplaced();
  const programs = (own: Partial<OwnKernel>) => () =>
    replacing(device, [{ kernel: "conv1", file: "a/mine.wgsl", wgsl, json, ...own }])(kernels);
  assert.deepEqual([...programs({})().values()], [{ wgsl, file: "a/mine.wgsl", grid: facts.grid }]);
  assert.deepEqual([...programs({ json: undefined })().values()], [{ wgsl, file: "a/mine.wgsl" }]);
  const said = (own: Partial<OwnKernel>, message: RegExp) =>
    assert.throws(programs(own), { name: "UserError", message });
  said(
    { kernel: "conv9" },
    /^there is no kernel "conv9"; there are conv1, pool1, .* \(bench kernels --dump writes all\)$/,
  );
  said(
    { kernel: "pool1" },
    /^a\/mine\.json: it was written of another kernel than pool1 is here: \d bindings there, \d here$/,
  );
  said({ kernel: "conv2" }, /another kernel than conv2 is here: x_0 has \d+ texels here \(2×5×4×4\), \d+ there$/);
  said({ json: "{" }, /^a\/mine\.json: it is not JSON/);
  said({ json: "[]" }, /expected an object with a grid$/);
  said(
    { json: '{"grid": [1, 0, 1]}' },
    /^a\/mine\.json: "grid" is \[1,0,1\], expected three numbers of workgroups, 1 to \d+$/,
  );
});

Deno.test("what each op is asked for, its float64 reference is: a small case of each beside the plan's own kernels", async () => {
  const cases = [...Map.groupBy(smallWayCases, ({ type }) => type).values()].map((alike) => alike.at(-1)!);
  for (const adapter of [device, pretend(device, { software: false })]) {
    for (const [turn, testCase] of cases.entries()) {
      const { network, weights } = caseNetwork(testCase);
      const small = buildGraph(caseModel({ network, weights }));
      const [[batch]] = testCase.inputs;
      using plan = await buildPlan(adapter, {
        graph: small,
        batch,
        wanted: [small.output],
        gradient: { of: [small.output], to: small.inputs[0] },
      });
      const trial = await Trial.create(adapter, plan);
      const [first] = plan.kernels;
      if (!first?.layer) continue;
      await trial.layer(first.layer, turn % KINDS, turn).catch((error) => {
        throw new Error(`${testCase.type}: ${testCase.name}: ${error.message}`);
      });
    }
  }
});
