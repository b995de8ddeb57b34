/** What network.json may not ask for: refused in a sentence before anything is allocated; and damaged models. */
import assert from "node:assert/strict";
import { fromFloat32, readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { loadModel } from "../../src/net/model.ts";
import { parseNetwork } from "../../src/net/network.ts";
import type { WeightsFile } from "../../src/net/weights.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { damageJson, damageSafetensors, damageText } from "../formats/damage.ts";
import { fuzz, fuzzAsync } from "../formats/fuzz.ts";
import { refuses } from "../tools/convert/converted.ts";
import { caseModel } from "./case_model.ts";

const encode = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

/** Reads a network.json and checks every layer with these weights, as loading does. */
function load(json: string, weights: WeightsFile["weights"] = new Map()): void {
  const graph = buildGraph({ network: parseNetwork(json, "network.json"), weights, where: "model" });
  for (const layer of graph.layers) for (const key of Object.keys(layer.weightShapes)) layer.weight(key);
}

/** network.json of one layer, or of as many as given, on an input of this shape. */
const network = (shape: unknown, ...layers: Record<string, unknown>[]) =>
  JSON.stringify({
    name: "net",
    inputs: [{ name: "data", shape }],
    layers: layers.map((layer, n) => ({ name: `l${n}`, input: n ? `l${n - 1}` : "data", ...layer })),
  });

Deno.test("limits: sizes that no device holds and windows that no kernel visits", () => {
  const map = [3, 8, 8];
  const relu = { type: "relu" };
  const pool = { type: "maxpool" };
  const deconv = { type: "deconv2d", channels: 1 };
  const cases: [string, RegExp][] = [
    [
      network([3, 1e6, 1e6], relu),
      /^network.json: input "data": an item of shape \[3,1000000,1000000\] takes the room of/,
    ],
    [
      network([1, 16384, 16384], relu),
      /an item of shape \[1,16384,16384\] takes the room of more than 134217728 values/,
    ],
    [network([1e308, 1e308], relu), /input "data": shape is \[1e\+308,1e\+308\], expected/],
    [
      network(map, { ...deconv, kernel: 2, stride: 60000 }),
      /layer "l0": its output \[1,420002,420002\] takes the room/,
    ],
    [network(map, { ...deconv, kernel: 2, stride: 1e9 }), /"stride" is 1000000000, expected .* at most 65536/],
    [
      network(map, { type: "conv2d", channels: 1e9, kernel: 1 }),
      /"channels" is 1000000000, expected .* at most 16777216/,
    ],
    [
      network(map, { ...pool, kernel: 1000, padding: 999 }),
      /windows of 1000×1000 with padding \[999,.*\] are larger than/,
    ],
    [network([1, 2000, 2000], { type: "avgpool", global: true }), /windows of 2000×2000 .* are larger than/],
    [network([1, 512, 512], { ...pool, kernel: 300, padding: 299 }), /windows of 300×300 .* are larger than/],
    [
      network(map, { type: "resample", axis: 1, positions: [0, 8] }),
      /layer "l0": position 8, but axis 1 of 3×8×8 has 0 to 7/,
    ],
    [
      network(map, { type: "resample", axis: 1, positions: [0, 1, 2], taps: 2 }),
      /"positions" are 3, expected 2 for each position of the output/,
    ],
    [
      network(map, { type: "resample", axis: 0, positions: Array(20_000).fill(2) }),
      /a sum of 80000 values, expected at most 60000/,
    ],
    [network(map, { type: "power", exponent: -1 }), /"exponent" is -1, expected a number above 0/],
    [network(map, { type: "lrn", size: 1_000_001 }), /"size" is 1000001, expected at most 255 channels/],
    [
      network([1, 30_001, 1], { type: "lrn", size: 1_000_001, region: "within" }),
      /a window of 30001 pixels a side, expected at most 30000/,
    ],
    [
      network([5000, 1, 1], { type: "pad", axis: 0, mode: "wrap", after: 4097 }),
      /"wrap" padding of 5000 positions by 0 and 4097, expected at most 4096/,
    ],
    [network(map, { type: "pad", axis: 1, mode: "reflect", before: 8 }), /by 8 and 0, expected at most 7/],
    [network(map, { type: "reshape", shape: [192, ...Array(100_000).fill(1)] }), /"shape" is \[192,1,1,1.* …$/],
    [
      network(map, { type: "concat", input: undefined, inputs: Array(129).fill("data") }),
      /129 inputs, expected at most 128/,
    ],
    [network(map, { type: "binary", operation: "sum" }), /layer "l0": binary takes 2 inputs, got 1$/],
    [
      network([10_001, 1, 4], { type: "lstm", hidden: 2, time: "item" }),
      /10001 steps in an item, expected at most 10000/,
    ],
    [
      network([1, 1000, 1000], { type: "conv2d", channels: 1, kernel: 101 }),
      /layer "l0": windows of 101×101 have more than 10000 positions/,
    ],
    [
      network(map, { type: "conv2d", channels: 1, kernel: 1, stride: 65 }),
      /the stride \[65,65\] is larger than the padded map of 8×8/,
    ],
    [network([3, 1, 1], { ...deconv, kernel: 4, stride: [2, 65536] }), /stride \[2,65536\] is larger than .* of 4×4/],
    [network([1_000_000], { type: "softmax" }), /1000000 channels, expected at most 120000/],
    [network([1_000_000], { type: "logsoftmax" }), /1000000 channels, expected at most 120000/],
    [network(map, { type: "constructor" }), /type "constructor" is unknown/],
    [network(map, { type: "relu\u001b[2J\n" }), /type "relu \[2J " is unknown/],
    [network(map, ...Array(20_001).fill(relu)), /20001 layers, expected at most 20000/],
    ["[".repeat(5e6), /network.json: not JSON \(it nests more than 100 deep\)/],
    [network(map, { type: "relu", slope: 1e300 }), /"slope" is 1e\+300, expected a number ≥ 0/],
  ];
  for (const [json, message] of cases) refuses(() => load(json), message);

  const doubled = { type: "concat", input: undefined };
  const doublings = Array.from(
    { length: 60 },
    (_, n) => ({ ...doubled, inputs: Array(2).fill(n ? `l${n - 1}` : "data") }),
  );
  refuses(() => load(network(map, ...doublings)), /layer "l19": its output \[3145728,8,8\] takes the room/);
  load(network([1, 300, 300], { type: "avgpool", global: true }));
  load(network([64, 1080, 1920], relu));
});

Deno.test("limits: texts too long to be a network or its labels", async () => {
  const long = new Uint8Array(2 ** 25 + 1).fill(0x20);
  const weights = writeSafetensors(new Map());
  const json = encode(network([3], { type: "relu" }));
  for (const name of ["network.json", "labels.txt"]) {
    const files: Record<string, Uint8Array> = { "network.json": json, "weights.safetensors": weights, [name]: long };
    await assert.rejects(loadModel((file) => Promise.resolve(files[file]), "model"), {
      name: "UserError",
      message: `model/${name} has 33554433 bytes, expected at most 33554432`,
    });
  }
});

Deno.test("limits: weights that come to no number", async () => {
  const json = encode(network([2], { type: "batchnorm" }));
  const variance = fromFloat32([1, -1], "F32", [2]);
  const weights = writeSafetensors(new Map([["l0.mean", fromFloat32([0, 0], "F32", [2])], ["l0.variance", variance]]));
  const files: Record<string, Uint8Array> = { "network.json": json, "weights.safetensors": weights };
  await assert.rejects(loadModel((file) => Promise.resolve(files[file]), "model"), {
    name: "UserError",
    message: 'model: layer "l0": its factors are NaN or infinity; is a variance negative?',
  });
});

Deno.test("network.json, weights: damaged files give a model or one sentence", async () => {
  for (const { network, weights } of smallNetworks) {
    const model = caseModel({ network, weights });
    const image = { order: "RGB", mean: [1, 2, 3], scale: [1, 2, 3] };
    const json = encode({ ...network, image, trained: [[0, 3]], code: { layer: "fc", sigmas: 3 } });
    const file = writeSafetensors(new Map(model.weights));
    const read = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    for (const damage of [damageJson, damageText]) {
      fuzz(json, 150, (damaged) => load(read(damaged), model.weights), { damage });
    }
    fuzz(file, 150, (damaged) => load(read(json), readSafetensors(damaged, "w")), { damage: damageSafetensors });
    const files = (damaged: Uint8Array): Record<string, Uint8Array> => ({
      "network.json": json,
      "weights.safetensors": damaged,
    });
    await fuzzAsync(file, 50, (damaged) => loadModel((name) => Promise.resolve(files(damaged)[name]), "model"));
  }
});
