/**
 * The bundle in headless Chromium: kernels and their gradients against float64, and a default search against the same
 * search in Deno.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { Net, openDevice, search } from "../../src/mod.ts";
import type { Question } from "../../src/net/choose.ts";
import { allCases } from "../cases/all.ts";
import { caseNetwork, type NetworkCase, outputGradient, randomWeights } from "../cases/case.ts";
import { doubleNetwork } from "../ops/check_double_float.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { type Network, valueAndGradients } from "../reference/network.ts";
import { count, type Tensor } from "../reference/tensor.ts";
import { openPage, type Page, root } from "./page.ts";
import { smallPair } from "./pair.ts";

/** One case or two of every family of kernels, small ones. */
const chosen = [
  "conv2d: deepsim64 conv0",
  "conv2d: groups, dilation and stride",
  "deconv2d: batch 3",
  "deconv2d: groups, dilation, stride and output padding",
  "fc: batch 3",
  "fc: image of 5 channels",
  "relu: zeros, leaky",
  "tanh: odd sizes, batch 3",
  "maxpool: ties",
  "avgpool: ceil with padding",
  "lrn: fewer channels than size",
  "concat: 1, 3 and 5 channels",
  "eltwise: sum of 3 with coefficients",
  "batchnorm: ONNX, affine",
  "softmax: map of 5 classes, batch 3",
];

/** So many layers, with enough channels on both sides for a workgroup to share a sum, one with a ReLU in its store. */
function sharedSums(count: number): NetworkCase {
  const layers = [
    { name: "conv", type: "conv2d", input: "x0", channels: 512, kernel: 1 },
    { name: "relu", type: "relu", input: "conv", slope: 0.3 },
    { name: "pool", type: "maxpool", input: "relu", kernel: 3 },
    { name: "fc", type: "fc", input: "pool", channels: 512 },
  ].slice(0, count);
  const network = { name: "shared sums", inputs: [{ name: "x0", shape: [512, 3, 3] }], layers };
  const inputs = new Map([["x0", randomTensor([2, 512, 3, 3], normal("shared sums"))]]);
  return { network, weights: randomWeights(network), inputs, tolerance: 1e-5 };
}

/** The WGSL of all small cases' kernels, in both kinds of storage, by ways that take turns; no driver compiles it. */
async function kernelsOfCases(): Promise<string[]> {
  using device = await openDevice();
  const codes = new Set<string>();
  device.gpu.createShaderModule = ({ code }) => (codes.add(code), {} as GPUShaderModule);
  device.gpu.createComputePipelineAsync = () => Promise.resolve({} as GPUComputePipeline);
  const small = allCases.filter(({ inputs: [shape] }) => count(shape) < 500);
  for (const [turn, testCase] of small.entries()) {
    const { network, weights } = caseNetwork(testCase);
    const adapter = pretend(device, {}, turn % 2 === 0 ? "texture" : "buffer");
    const choose = ({ candidates }: Question) => candidates[turn % candidates.length];
    const [{ name: gradient }] = network.inputs;
    const [[batch]] = testCase.inputs;
    using _ = await Net.create(adapter, caseModel({ network, weights }), { batch, gradient, choose });
  }
  return [...codes];
}

/** A typed array as it comes from the page. */
type Listed = string[];

Deno.test("the bundle in Chromium", async (t) => {
  const files = new Map<string, string | Uint8Array>();
  await using page = await openPage(files);
  await t.step("the browser's compiler reads the kernels of all small cases", async () => {
    assert.deepEqual(await page.ask("faults", { codes: await kernelsOfCases() }), []);
  });
  for (const name of chosen) {
    const found = allCases.find((testCase) => `${testCase.type}: ${testCase.name}` === name);
    assert.ok(found, `no case is called "${name}"`);
    await t.step(name, async () => void await checkGradients(page, files, caseNetwork(found)));
  }
  await t.step("a whole network", async () => void await checkGradients(page, files, smallNetworks[0]));
  // SwiftShader compiles each kernel of the staged way for many seconds: the convolution's two do.
  for (const [way, layers] of [["workgroups", 4], ["subgroups", 4], ["vectors", 4], ["staged", 3]] as const) {
    await t.step(`by ${way}, beside kernels of elements`, async () => {
      const ways = await checkGradients(page, files, sharedSums(layers), { way });
      assert.ok(ways.includes(way) && ways.includes("elements"), ways.join());
    });
  }
  // Rounding alone is 6e-8 of a value; plain sums are off by several times as much.
  await t.step(
    "a whole network in double-float arithmetic",
    async () => void await checkGradients(page, files, doubleNetwork, { doubleFloat: true, outputTolerance: 7e-8 }),
  );
  await t.step("tuned ways in the page's storage", () => checkTune(page, files));
  await t.step("examples/page.html draws what Deno draws", () => checkSearch(page, files));
});

/** Has the page's server have a model in a folder. */
function serve(
  files: Map<string, string | Uint8Array>,
  folder: string,
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
): void {
  const stored = [...weights].map(([name, { shape, data }]) => [name, fromFloat32(data, "F32", shape)] as const);
  files.set(`${folder}/network.json`, JSON.stringify(network));
  files.set(`${folder}/weights.safetensors`, writeSafetensors(new Map(stored)));
}

/** Output and the gradient to every input; tells the ways that the layers went. */
async function checkGradients(
  page: Page,
  files: Map<string, string | Uint8Array>,
  { network, weights, inputs, tolerance }: NetworkCase,
  { doubleFloat = false, outputTolerance = tolerance, way = "" } = {},
): Promise<string[]> {
  const ways: string[] = [];
  const last = network.layers.at(-1)!.name;
  serve(files, "/case", network, weights);
  const slopes = (y: Tensor) => outputGradient(network, y);
  const { y: expected, dy, inputs: gradients } = valueAndGradients(network, weights, inputs, last, slopes);
  const values = Object.entries(caseInputs(inputs)).map(([name, list]) => [name, [...list]]);
  for (const [to, dx] of gradients) {
    const job = {
      folder: "/case",
      batch: dx.shape[0],
      inputs: Object.fromEntries(values),
      dy: [...dy.data],
      to,
      doubleFloat,
      way,
    };
    const result = await page.ask<{ output: Listed; gradient: Listed; ways: string[] }>("gradient", job);
    ways.push(...result.ways);
    assertClose("output", { shape: expected.shape, data: result.output.map(Number) }, expected, outputTolerance);
    assertClose(`gradient to ${to}`, { shape: dx.shape, data: result.gradient.map(Number) }, dx, tolerance);
  }
  return ways;
}

/** A network of two convolutions is tuned, and goes the ways that the storage has kept. */
async function checkTune(page: Page, files: Map<string, string | Uint8Array>): Promise<void> {
  const layers = [
    { name: "conv", type: "conv2d", input: "x", channels: 8, kernel: 3 },
    { name: "fc", type: "fc", input: "conv", channels: 5 },
  ];
  const network = { name: "two", inputs: [{ name: "x", shape: [3, 6, 6] }], layers };
  serve(files, "/two", network, randomWeights(network));
  const result = await page.ask("tune", { folder: "/two" });
  assert.deepEqual(result, { failed: [], kept: true, tuned: 2 });
}

/**
 * Both run the same WGSL on the same numbers; adapters differ in how they round, by about 1e-7. Weights that are wrong by 1e-5
 * changed it by less than a thousandth of a level in 48 of 48 tries. So a mean difference of one level of 255 is generous to rounding. The
 * smallest of real differences tried, a learning rate of 7.9 for 8 or no decay, makes it 5.
 */
const levels = 1;

async function checkSearch(page: Page, files: Map<string, string | Uint8Array>): Promise<void> {
  const [unit, iterations] = [7, 4];
  const { generator, classifier } = smallPair();
  // The page's own files, with other models where it looks for the embedded ones.
  for (const path of ["/examples/page.html", "/dist/phosphene.js"]) {
    files.set(`/small${path}`, Deno.readFileSync(join(root, path)));
  }
  serve(files, "/small/models/deepsim64", generator.network, generator.weights);
  serve(files, "/small/models/caffenet64", classifier.network, classifier.weights);
  const { rgba } = await page.ask<{ rgba: Listed }>("example", { folder: "/small", unit, iterations });
  using device = await openDevice();
  const models = { generator: caseModel(generator), classifier: caseModel(classifier) };
  const { items } = await search(device, { ...models, targets: [{ units: [unit], seed: 0 }], iterations });
  const { rgb } = items[0].picture;
  const drawn = rgba.filter((_, i) => i % 4 < 3).map(Number);
  assert.equal(drawn.length, rgb.length);
  const difference = rgb.reduce((sum, value, i) => sum + Math.abs(value - drawn[i]), 0) / rgb.length;
  assert.ok(difference <= levels, `pictures differ by ${difference} levels of 255 on average, ${levels} allowed`);
}
