/** Reshapes that are folded into the layer before them on GPUs. */
import assert from "node:assert/strict";
import { openGenerator } from "../../src/cli/defaults.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { Net, type NetOptions } from "../../src/net/net.ts";
import type { Model } from "../../src/net/model.ts";
import { texelOrder } from "../../src/net/reorder.ts";
import { normals } from "../../src/synth/random.ts";
import { randomWeights } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { checkNetwork } from "../ops/check_case.ts";
import { assertClose } from "../reference/close.ts";
import type { Network } from "../reference/network.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { tensor } from "../reference/tensor.ts";
import { caseModel } from "./case_model.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");

/** A generator: a vector becomes maps of so many channels, 3 high and 2 wide. */
const generator = (channels: number): Network => ({
  name: "reordered rows",
  inputs: [{ name: "code", shape: [10] }],
  layers: [
    { name: "fc", type: "fc", input: "code", channels: 6 * channels },
    { name: "norm", type: "scale", input: "fc" },
    { name: "relu", type: "relu", input: "norm", slope: 0.2 },
    { name: "maps", type: "reshape", input: "relu", shape: [channels, 3, 2] },
    { name: "per map", type: "scale", input: "maps" },
    { name: "up", type: "deconv2d", input: "per map", channels: 3, kernel: 4, stride: 2, padding: 1 },
  ],
});

async function dispatches(on: typeof device, network: Network, options: NetOptions = {}): Promise<number> {
  const model = caseModel({ network, weights: randomWeights(network) });
  using net = await Net.create(on, model, { gradient: true, ...options });
  return net.dispatches;
}

Deno.test("a reshape after fc runs no kernel on GPUs, neither forward nor backward, unless texels have spare lanes", async () => {
  const plain = await dispatches(device, generator(8));
  assert.equal(await dispatches(gpu, generator(8)), plain - 2);
  assert.equal(await dispatches(gpu, generator(6)), await dispatches(device, generator(6)));
  // What somebody wants to see, or trains, stays as it is.
  const options = { gradient: true, weightGradients: true };
  assert.equal(await dispatches(gpu, generator(8), options), await dispatches(device, generator(8), options));
});

const network = generator(8);
const weights = randomWeights(network);
const inputs = new Map([["code", randomTensor([3, 10], normal("reordered rows"))]]);

Deno.test("a reshape after fc: output and gradient", async () => {
  await checkNetwork(gpu, { network, weights, inputs, tolerance: 1e-5 });
});

/** What two adapters make of a model. */
async function assertSame(model: Model, options: NetOptions, input: Float32Array): Promise<void> {
  using plain = await Net.create(device, model, options);
  using folded = await Net.create(gpu, model, options);
  assert.ok(folded.dispatches < plain.dispatches);
  const shape = [folded.batch, ...folded.outputShape];
  const expected = await plain.forward(input);
  assertClose(model.name, { shape, data: await folded.forward(input) }, tensor(shape, expected), 1e-5);
}

Deno.test("a reshape after fc: weights that are narrowed, and integers with a scale for each row", async () => {
  const code = Float32Array.from(inputs.get("code")!.data);
  for (const format of ["f16", "i8"] as const) {
    await assertSame(caseModel({ network, weights }), { batch: 3, weights: format }, code);
  }
  await assertSame(await openGenerator(), { layer: "deconv5" }, normals(0, 1024));
});

Deno.test("the order of a map's texels: four channels of a pixel, then the next pixel", () => {
  assert.deepEqual([...texelOrder([8, 1, 2])!], [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15]);
  assert.equal(texelOrder([6, 1, 2]), undefined);
});
