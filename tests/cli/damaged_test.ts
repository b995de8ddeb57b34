/** What commands read beside models and pictures: bounds, labels, and what a picture says of itself; seeded damage to each. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readBounds } from "../../src/cli/bounds.ts";
import { readRecord, recordText } from "../../src/record/record.ts";
import { checkModels, requestOf, settleRequest } from "../../src/record/request.ts";
import { readCodeBounds, readStart } from "../../src/cli/synth/start.ts";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { labelOf, loadModel } from "../../src/mod.ts";
import { damageJson, damageSafetensors, damageText } from "../formats/damage.ts";
import { damageBytes, fuzz, fuzzAsync } from "../formats/fuzz.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { temporaryFolder } from "./user.ts";

using folder = temporaryFolder();
const paths = writeTinyModels(folder.path);
const encode = (text: string) => new TextEncoder().encode(text);
const filesOf = (path: string) => {
  const names = ["network.json", "weights.safetensors", "labels.txt"].filter((name) => {
    return name !== "labels.txt" || path === paths.classifier;
  });
  return new Map<string, Uint8Array>(names.map((name) => [name, Deno.readFileSync(join(path, name))]));
};
const load = (files: ReadonlyMap<string, Uint8Array>) => loadModel((name) => Promise.resolve(files.get(name)), "model");
const classifierFiles = filesOf(paths.classifier);
const classifier = await load(classifierFiles);
const generator = await load(filesOf(paths.generator));

Deno.test("bounds: damaged files give bounds or one sentence", () => {
  const text = encode("1.5 2 3e-2, 4\n5\t6\n");
  const six = fromFloat32([1, 2, 3, 4, 5, 6], "F32", [6]);
  const ranges = writeSafetensors(new Map([["code.mean", six], ["code.std", six]]));
  const read = (bytes: Uint8Array) => readBounds(bytes, "bounds", generator, { lowest: 0, sigmas: 0 });
  read(text);
  read(ranges);
  for (const damage of [damageText, damageBytes]) fuzz(text, 300, read, { damage });
  for (const damage of [damageSafetensors, damageBytes]) fuzz(ranges, 300, read, { damage });
});

Deno.test("labels: damaged files give names or one sentence", async () => {
  const labels = classifierFiles.get("labels.txt")!;
  for (const damage of [damageText, damageBytes]) {
    await fuzzAsync(labels, 100, async (damaged) => {
      const model = await load(new Map(classifierFiles).set("labels.txt", damaged));
      for (let unit = 0; unit < 10; unit++) labelOf(model, unit);
    }, { damage });
  }
});

Deno.test("what a picture says of itself: damaged records make a request that fits, or one sentence", async () => {
  const code = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer).toBase64();
  const record = {
    version: "0.1.0",
    classifier: { name: classifier.name, hash: classifier.hash },
    generator: { name: generator.name, hash: generator.hash },
    layer: "conv1",
    units: [1, 2],
    xy: [3, 4] as [number, number],
    seed: 7,
    start: { file: "code.npy", code: code([1, 2, 3, 4, 5, 6]) },
    iterations: 4,
    rule: "paper" as const,
    lrStart: 8,
    lrEnd: 1e-10,
    decay: 0.99,
    gamma: 0.5,
    bounds: { file: "bounds.txt", code: code([6, 5, 4, 3, 2, 1]) },
    weights: "f16" as const,
    adapter: "any",
    result: { iterations: 4, activation: 1.5, top: [{ unit: 1, name: "bell pepper", activation: 1.5 }] },
  };
  const { layer: _, units: __, xy: ___, gamma: ____, ...rest } = record;
  const sum = {
    ...rest,
    target: "0.5*conv1:2@1,1 + cosine(conv1@all, v.npy) - pair(fc3:1, fc3:2) + diversity(fc2)",
    directions: { "v.npy": code([1, 0, -1, 2]) },
    redirect: 16,
    fit: "crop" as const,
    batch: 2,
    beside: [{ target: "fc3:1", seed: 3, start: record.start }],
    place: 1,
  };
  const models = { classifier, generator };
  const read = async (damaged: Uint8Array) => {
    const request = requestOf(readRecord({ phosphene: new TextDecoder().decode(damaged) }, "x.png"), "x.png");
    checkModels(request, models);
    const { rows: [row] } = settleRequest(request, models);
    assert.ok(row.items[request.repeats!.keep]);
    await readStart(request, row);
    readCodeBounds(request, row);
  };
  for (const own of [record, sum]) {
    const json = encode(recordText(own, "").phosphene);
    await read(json);
    for (const damage of [damageJson, damageText, damageBytes]) await fuzzAsync(json, 300, read, { damage });
  }
});
