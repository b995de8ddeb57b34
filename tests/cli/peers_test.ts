/**
 * `bench synth --peers`, over a pair of small networks in which every layer is that the peers' modules know: a gradient that
 * is right says that all of them are. Tests fetch nothing (PHOSPHENE_SETUP is "skip"): peers that are not here are named.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { randomWeights } from "../cases/case.ts";
import type { Network } from "../reference/network.ts";
import { temporaryFolder, type } from "./user.ts";

const image = { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

const generator: Network & { image: unknown } = {
  name: "peers' generator",
  inputs: [{ name: "code", shape: [12] }],
  image,
  layers: [
    { name: "fc", type: "fc", input: "code", channels: 4 * 3 * 3 },
    { name: "relu", type: "relu", input: "fc", output: "fc", slope: 0.3 },
    { name: "map", type: "reshape", input: "fc", shape: [4, 3, 3] },
    { name: "up1", type: "deconv2d", input: "map", channels: 6, kernel: 4, stride: 2, padding: 1 },
    { name: "elu", type: "elu", input: "up1" },
    { name: "up2", type: "deconv2d", input: "elu", channels: 4, kernel: 3, stride: 2, groups: 2, outputPadding: 1 },
    { name: "tanh", type: "tanh", input: "up2" },
    { name: "picture", type: "conv2d", input: "tanh", channels: 3, kernel: 3, padding: 1 },
  ],
};

/** Its pixels are in another order and scale, and two rows and columns fewer. */
const classifier: Network & { image: unknown } = {
  name: "peers' classifier",
  inputs: [{ name: "data", shape: [3, 12, 12] }],
  image: { order: "BGR", mean: [104, 117, 123], scale: 0.02 },
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 6, kernel: 3, padding: [1, 2, 0, 1] },
    { name: "relu1", type: "relu", input: "conv1", output: "conv1" },
    { name: "norm1", type: "lrn", input: "conv1", size: 5, alpha: 0.1 },
    { name: "pool1", type: "maxpool", input: "norm1", kernel: 3, stride: 2 },
    { name: "two", type: "conv2d", input: "pool1", channels: 6, kernel: 3, padding: 1, groups: 2 },
    { name: "prelu", type: "prelu", input: "two" },
    { name: "within", type: "lrn", input: "prelu", size: 3, alpha: 0.5, region: "within" },
    { name: "bn", type: "batchnorm", input: "within" },
    { name: "scale", type: "scale", input: "bn" },
    { name: "sum", type: "eltwise", inputs: ["scale", "pool1"], operation: "sum", coefficients: [1, -0.5] },
    { name: "gate", type: "sigmoid", input: "sum" },
    { name: "product", type: "eltwise", inputs: ["gate", "sum"], operation: "product" },
    { name: "most", type: "eltwise", inputs: ["product", "pool1"], operation: "max" },
    { name: "join", type: "concat", inputs: ["most", "gate"] },
    { name: "clip", type: "clip", input: "join", min: -2, max: 2 },
    { name: "inside", type: "avgpool", input: "clip", kernel: 3, stride: 2, padding: 1, countPadding: false },
    { name: "exp", type: "exp", input: "inside" },
    { name: "log", type: "log", input: "exp" },
    { name: "pool2", type: "avgpool", input: "log", kernel: 3, stride: 2, padding: 1 },
    { name: "fc3", type: "fc", input: "pool2", channels: 9 },
    { name: "drop", type: "dropout", input: "fc3", output: "fc3" },
    { name: "soft", type: "softmax", input: "fc3" },
    { name: "root", type: "sqrt", input: "soft" },
    { name: "logsoft", type: "logsoftmax", input: "fc3" },
    { name: "both", type: "concat", inputs: ["root", "logsoft"] },
    { name: "fc4", type: "fc", input: "both", channels: 5 },
  ],
};

function writeModel(folder: string, network: Network): string {
  Deno.mkdirSync(folder);
  Deno.writeTextFileSync(join(folder, "network.json"), JSON.stringify(network));
  const weights = [...randomWeights(network)].map(([name, { shape, data }]) =>
    [name, fromFloat32(Float32Array.from(data), "F32", shape)] as const
  );
  Deno.writeFileSync(join(folder, "weights.safetensors"), writeSafetensors(new Map(weights)));
  return folder;
}

Deno.test("bench synth --peers: ratios to libraries whose gradients are right, or why there is none", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "peers.json");
  const models = [writeModel(join(folder.path, "g"), generator), writeModel(join(folder.path, "c"), classifier)];
  const { code, out, err } = await type([
    "bench",
    "synth",
    "--peers",
    "--generator",
    models[0],
    "--classifier",
    models[1],
    "--batch",
    "2",
    "--json",
    file,
  ]);
  assert.equal(code, 0, err);
  const { peers: { peers } } = JSON.parse(Deno.readTextFileSync(file));
  assert.deepEqual(peers.map(({ name }: { name: string }) => name), ["TensorFlow.js", "jax-js"]);
  for (const { name, version, tried, turns, ratio, iterationMs, backend } of peers) {
    const absent = tried.every(({ reason }: { reason?: string }) => /its packages are not here/.test(reason ?? ""));
    if (absent) {
      assert.ok(out.includes(`\n${name} ${version}: no ratio\n`), out);
      continue;
    }
    // Not every backend is right on every adapter: jax-js's WebGPU is not on llvmpipe.
    const counted = tried.filter(({ reason }: { reason?: string }) => reason === undefined);
    assert.ok(counted.some((trial: { backend: string }) => trial.backend === backend), JSON.stringify(tried));
    for (const trial of counted) assert.ok(trial.gradientError < 1e-5, `${name}: ${JSON.stringify(trial)}`);
    assert.equal(turns.length, 5);
    assert.ok(iterationMs > 0 && ratio.best > 0 && ratio.least <= ratio.most);
    assert.match(
      out,
      new RegExp(`\\n${name} ${version.replaceAll(".", "\\.")}, ${backend}: [\\d.]+ ms, [\\d.e+]+ times`),
    );
  }
});
