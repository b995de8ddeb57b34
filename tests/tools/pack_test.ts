/** Packing: a tiny trained pair becomes folders that load, with the values and the facts that went in. */
import assert from "node:assert/strict";
import { type NpyArray, readNpy, writeNpy } from "../../src/formats/npy.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { isTrained, labelOf, loadModel } from "../../src/net/model.ts";
import { hostTensor } from "../../src/net/weights.ts";
import { readMeasured } from "../../tools/train/card.ts";
import { classifier, generator, type NetworkFile, networkText } from "../../tools/train/networks.ts";
import { pack, type PackOptions } from "../../tools/train/pack.ts";
import { quantiseRows, trainedRanges } from "../../tools/train/weights.ts";

/** Values that repeat between runs, spread like trained weights. */
function noise(count: number, seed: number): Float32Array {
  let state = seed;
  const next = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5;
  return Float32Array.from({ length: count }, () => next() + next() + next());
}

const layout = {
  classifier: (trained: [number, number][]): NetworkFile => ({
    name: "caffenet64",
    inputs: [{ name: "data", shape: [3, 4, 4] }],
    image: { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 },
    trained,
    layers: [
      { name: "conv1", type: "conv2d", input: "data", channels: 2, kernel: 3, padding: 1 },
      { name: "relu1", type: "relu", input: "conv1", output: "conv1" },
      { name: "fc2", type: "fc", input: "conv1", channels: 5 },
    ],
  }),
  generator: (): NetworkFile => ({
    name: "deepsim64",
    inputs: [{ name: "code", shape: [6] }],
    image: { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 },
    code: { layer: "fc2", sigmas: 3 },
    layers: [
      { name: "defc2", type: "fc", input: "code", channels: 8 },
      { name: "reshape", type: "reshape", input: "defc2", shape: [2, 2, 2] },
      { name: "deconv1", type: "deconv2d", input: "reshape", channels: 3, kernel: 4, stride: 2, padding: 1 },
    ],
  }),
};

/** What train.py would leave for `layout`, through the bytes of its .npz files. Units 0 and 3 are untrained. */
function trained() {
  const fc = noise(5 * 32, 3);
  for (const row of [0, 3]) fc.fill(0, row * 32, (row + 1) * 32);
  return {
    arrays: {
      caffenet64: npz({
        "conv1.weight": [noise(2 * 3 * 9, 1), [2, 3, 3, 3]],
        "conv1.bias": [noise(2, 2), [2]],
        "fc2.weight": [fc, [5, 32]],
        "fc2.bias": [Float32Array.of(0, 0.5, -0.5, 0, 0.25), [5]],
      }),
      deepsim64: npz({
        "defc2.weight": [noise(48, 4), [8, 6]],
        "defc2.bias": [noise(8, 5), [8]],
        "deconv1.weight": [noise(2 * 3 * 16, 6), [2, 3, 4, 4]],
        "deconv1.bias": [noise(3, 7), [3]],
      }),
    },
    code: npz({ mean: [noise(6, 8), [6]], std: [noise(6, 9), [6]] }),
  };
}

function npz(arrays: Record<string, [Float32Array, number[]]>): Map<string, NpyArray> {
  return new Map(
    Object.entries(arrays).map(([name, [data, shape]]) => [name, readNpy(writeNpy({ shape, data }), name)]),
  );
}

const options: PackOptions = { labels: "tench\ngoldfish\nwhite shark\ntiger shark\nhammerhead\n", halves: [] };

/** Packs, and says how to read a folder of the result, and its text files. */
async function packed(given = trained(), chosen = options) {
  const files = await pack(given, chosen, layout);
  const folder = (name: string) => (file: string) => Promise.resolve(files.get(`${name}/${file}`));
  return { folder, text: (path: string) => new TextDecoder().decode(files.get(path)) };
}

const refusal = (message: RegExp) => (error: Error) => error instanceof UserError && message.test(error.message);

Deno.test("pack: the folders load, with trained units, names and code statistics", async () => {
  const given = trained();
  const { folder } = await packed(given);
  const phi = await loadModel(folder("caffenet64"), "caffenet64");
  const g = await loadModel(folder("deepsim64"), "deepsim64");
  assert.deepEqual([0, 1, 2, 3, 4].map((unit) => isTrained(phi, unit)), [false, true, true, false, true]);
  assert.equal(labelOf(phi, 1), "goldfish");
  assert.deepEqual(g.network.code, { layer: "fc2", sigmas: 3 });
  assert.deepEqual(hostTensor(g, "code.mean", [6]).values, given.code.get("mean")!.data);
});

Deno.test("pack: convolutions are F16, fully connected layers I8 unless asked, biases F32", async () => {
  const types = async (halves: string[]) => {
    const { folder } = await packed(trained(), { ...options, halves });
    const tensors = readSafetensors((await folder("caffenet64")("weights.safetensors"))!, "tiny");
    return Object.fromEntries([...tensors].map(([name, { dtype }]) => [name, dtype]));
  };
  const usual = { "conv1.weight": "F16", "conv1.bias": "F32", "fc2.bias": "F32" };
  assert.deepEqual(await types([]), { ...usual, "fc2.weight": "I8", "fc2.weight.scale": "F32" });
  assert.deepEqual(await types(["fc2"]), { ...usual, "fc2.weight": "F16" });
});

Deno.test("pack: what loads is what was trained, to the stored type's precision", async () => {
  const given = trained();
  const { folder } = await packed(given);
  const phi = await loadModel(folder("caffenet64"), "caffenet64");
  for (const [name, tolerance] of [["conv1.weight", 2 ** -11], ["fc2.weight", 1 / 127], ["fc2.bias", 0]] as const) {
    const { data, shape } = given.arrays.caffenet64.get(name)!;
    const values = hostTensor(phi, name, shape).values;
    // Clipping may cost one outlier more than a step, never 2 %.
    const allowed = tolerance * 2.5 * Math.max(...data as Float32Array);
    data.forEach((value, i) => assert.ok(Math.abs(Number(value) - values[i]) <= allowed, `${name}[${i}]`));
  }
});

Deno.test("quantiseRows: no worse than the plain scale, better where a row has an outlier, and zeros stay zero", () => {
  const rows = new Float32Array(3 * 200);
  rows.set(noise(200, 10));
  rows.set(noise(200, 11).map((w) => w / 50), 200);
  rows[200] = 0.08; // about three times the row's other extremes
  const { values, scales } = quantiseRows(rows, 3);
  const error = (row: number, quantised: (w: number, i: number) => number) =>
    rows.subarray(row * 200, (row + 1) * 200).reduce((sum, w, i) => sum + (w - quantised(w, row * 200 + i)) ** 2, 0);
  for (const row of [0, 1]) {
    const step = Math.max(...rows.subarray(row * 200, (row + 1) * 200).map(Math.abs)) / 127;
    const plain = error(row, (w) => step * Math.round(w / step));
    const found = error(row, (_, i) => scales[row] * values[i]);
    assert.ok(found <= plain * 1.000001, `row ${row}: ${found} against ${plain}`);
  }
  assert.ok(values.subarray(400).every((q) => q === 0) && scales[2] === 1);
  assert.ok(values.every((q) => q >= -127));
});

Deno.test("trainedRanges: a row counts where its weights or its bias are not zero", () => {
  const weight = Float32Array.of(0, 0, 1, 0, 0, 0, 0, 0, 0, -1);
  assert.deepEqual(trainedRanges(weight, Float32Array.of(0, 0, 3, 0, 0)), [[1, 2], [4, 4]]);
  assert.deepEqual(trainedRanges(new Float32Array(4), new Float32Array(2)), []);
});

Deno.test("pack: the cards carry the hash that the program computes, and the measured figures", async () => {
  const runs = [{ unit: 1, activation: 17.6, top1: 1 }, { unit: 2, activation: 3, top1: 4 }];
  const figures = { by: "PyTorch", pictures: 10, top1: 0.377, top5: 0.638 };
  const search = { iterations: 200, seed: 0, runs };
  const measured = readMeasured(
    JSON.stringify({ ...figures, reconstruction: { pixel: 0.25, top1: 0.3 }, search }),
    "accuracy.json",
  );
  const { folder, text } = await packed(trained(), { ...options, measured, note: "For a minute." });
  const [phi, g] = ["caffenet64", "deepsim64"].map((name) => text(`${name}/README.md`).replace(/\s+/g, " "));
  assert.ok(phi.includes((await loadModel(folder("caffenet64"), "caffenet64")).hash));
  for (const part of ["3 of them", "1–2, 4.", "37.7 %", "For a minute."]) assert.ok(phi.includes(part), part);
  for (
    const part of ["0.250", "1 of 2", "| 1 goldfish | 17.6 | the same |", "| 2 white shark | 3.0 | 4 hammerhead |"]
  ) {
    assert.ok(g.includes(part), part);
  }
  assert.ok(!/undefined|NaN/.test(phi + g));
});

Deno.test("pack: refuses what is missing, misshapen, not finite or too large, by name", async () => {
  const spoilt = (name: string, change: (array: NpyArray) => NpyArray | undefined) => {
    const given = trained();
    const arrays = given.arrays.caffenet64;
    const array = change(arrays.get(name)!);
    if (array) arrays.set(name, array);
    else arrays.delete(name);
    return packed(given);
  };
  const withFirst = (value: number) => (array: NpyArray) => {
    const data = Float32Array.from(array.data as Float32Array);
    data[0] = value;
    return { ...array, data };
  };
  await assert.rejects(spoilt("conv1.bias", () => undefined), refusal(/conv1\.bias: not among/));
  await assert.rejects(
    spoilt("conv1.weight", (a) => ({ ...a, shape: [3, 2, 3, 3] })),
    refusal(/conv1\.weight: expected .*2.*got \[3,2,3,3\]/),
  );
  await assert.rejects(spoilt("conv1.weight", withFirst(NaN)), refusal(/conv1\.weight: element 0 is NaN/));
  await assert.rejects(spoilt("conv1.weight", withFirst(1e6)), refusal(/conv1\.weight: .*too large/));
  await assert.rejects(packed(trained(), { ...options, labels: "one\n" }), refusal(/labels: 1 names for the 5 units/));
  await assert.rejects(packed(trained(), { ...options, halves: ["conv1"] }), refusal(/--f16 conv1: not one of fc2/));
  assert.throws(() => readMeasured('{"top1": 37.7}', "a.json"), refusal(/a\.json: "top1" must be a share/));
});

Deno.test("models/: the embedded pair is laid out as packing would lay it out", async () => {
  for (const build of [classifier, generator]) {
    const { name } = build([]);
    const text = await Deno.readTextFile(new URL(`../../models/${name}/network.json`, import.meta.url));
    assert.equal(text, networkText(build(JSON.parse(text).trained)));
  }
});
