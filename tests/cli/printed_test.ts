/** Text from files reaches the terminal as text: whatever names and records hold, no command lets it act there. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { zipSync } from "fflate";
import { writeNpy } from "../../src/formats/npy.ts";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { progress } from "../../src/cli/progress.ts";
import { onnxModel } from "../tools/convert/onnx/writer.ts";
import { serve } from "../tools/get/server.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { type Outcome, temporaryFolder, type } from "./user.ts";

/** A window's title, an empty screen, a line of its own, and a text that reads from the right; and what is left of it. */
const evil = "\x1b]0;pwned\x07\x1b[2J\nwarning: \u202egnp.\x9b31m";
const tamed = " ]0;pwned [2J warning: \ufffdgnp. 31m";

/** As messages quote what makes no sense. */
const quoted = String.raw`"\u001b]0;pwned\u0007\u001b[2J warning: ${"\ufffd"}gnp.`;

/** Control characters but for the ends of the commands' own lines, and bidirectional ones. */
// deno-lint-ignore no-control-regex
const unprintable = /[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Tiny models whose names, layers and labels are hostile. */
function hostile(folder: string) {
  const models = writeTinyModels(folder);
  for (const [model, layer] of [[models.classifier, "fc3"], [models.generator, "fc"]]) {
    const [network, weights] = ["network.json", "weights.safetensors"].map((name) => join(model, name));
    const text = Deno.readTextFileSync(network);
    const name = JSON.stringify(`${layer}${evil}`);
    Deno.writeTextFileSync(
      network,
      text.replaceAll(new RegExp(`("name"|"input"):"${layer}"`, "g"), (_, key) => `${key}:${name}`).replace(
        `"name":"tiny`,
        () => `"name":${JSON.stringify(evil).slice(0, -1)}`,
      ),
    );
    const tensors = [...readSafetensors(Deno.readFileSync(weights), weights)].map(([key, tensor]) =>
      [key.replace(`${layer}.`, () => `${layer}${evil}.`), tensor] as const
    );
    Deno.writeFileSync(weights, writeSafetensors(new Map(tensors)));
  }
  const labels = ["apple", evil.replace("\n", " "), "candle", "door", "elephant"];
  Deno.writeTextFileSync(join(models.classifier, "labels.txt"), labels.join("\n"));
  return models;
}

/** Makes sure that the hostile text came, as text. */
function isTame({ out, err }: Outcome): void {
  const all = out + err;
  assert.ok(all.includes(tamed) || all.includes(quoted), all);
  assert.doesNotMatch(all, unprintable);
  assert.doesNotMatch(all, /^warning: (\ufffd)?gnp/m);
}

Deno.test("no command lets a file's text act in the terminal", async (t) => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const { classifier, generator } = hostile(folder.path);
  const pair = ["--classifier", classifier, "--generator", generator];
  const picture = at("x.png");
  const layer = `layer { name: "${evil.replace("\n", " ")}" type: "No" bottom: "x" top: "y" }`;
  Deno.writeTextFileSync(at("net.prototxt"), layer);
  Deno.writeFileSync(at("x.npy"), writeNpy({ shape: [3, 8, 8], data: new Float32Array(192) }));
  Deno.writeFileSync(at("net.caffemodel"), new Uint8Array(0));
  Deno.mkdirSync(at("broken"));
  Deno.writeTextFileSync(
    at("broken/network.json"),
    JSON.stringify({
      name: evil,
      inputs: [{ name: "x", shape: [1] }],
      layers: [{ name: evil, type: evil, input: "x" }],
    }),
  );
  Deno.writeFileSync(at("broken/weights.safetensors"), writeSafetensors(new Map()));
  const step = (name: string, run: () => Promise<Outcome>, code = 0) =>
    t.step(name, async () => {
      const outcome = await run();
      assert.equal(outcome.code, code, outcome.err);
      isTame(outcome);
    });

  const making = ["--unit", "1", "--iterations", "2", "--out", picture];
  await step("synth", () => type(["synth", ...pair, ...making, "--verbose"]));
  const { text, ...image } = await decodeImage(Deno.readFileSync(picture), picture);
  const record = JSON.parse(text.phosphene);
  assert.equal(record.classifier.name, `${evil} classifier`);
  Object.assign(record, { adapter: evil, generator: { ...record.generator, hash: "0" } });
  Deno.writeFileSync(at("shared.png"), encodePng(image, { phosphene: JSON.stringify(record) }));
  await step("synth --from", () => type(["synth", "--from", at("shared.png"), ...pair, "--out", at("y.png")]), 1);
  await step("units", () => type(["units", "--model", classifier]));
  for (const command of ["units", "layers"]) {
    await t.step(`${command} --json`, async () => {
      const { out } = await type([command, "--model", classifier, "--json"]);
      assert.doesNotMatch(out, unprintable);
      assert.equal(JSON.parse(out).model, `${evil} classifier`);
    });
  }
  await step("classify", () => type(["classify", "--model", classifier, picture]));
  const none = ["--model", classifier, "--layer", "none"];
  await step("infer", () => type(["infer", ...none, "--input", at("x.npy"), "--output", at("y.npy")]), 1);
  await step("ranges", () => type(["ranges", ...none, "--images", folder.path, "--out", at("r.safetensors")]), 1);
  await step("tune", () => type(["tune", "--model", classifier, "--layer", "none", "--tuned", at("tuned.json")]), 1);
  await step("doctor", () => type(["doctor", "--case", evil]), 1);
  await step("bench", () => type(["bench", "kernels", "--model", at("broken")]), 1);
  await step("bench static", () => type(["bench", "static", "--model", at(evil)]), 1);
  await step("pack", () => type(["pack", "--in", at(evil), "--out", at("packed")]), 1);
  const out = ["--out", at("converted")];
  await step(
    "convert caffe",
    () => type(["convert", "caffe", "--prototxt", at("net.prototxt"), "--caffemodel", at("net.caffemodel"), ...out]),
    1,
  );
  Deno.writeFileSync(
    at("net.onnx"),
    onnxModel({
      nodes: [{ type: "Relu", inputs: ["x"], outputs: [evil] }, { type: "Neg", inputs: [evil], outputs: ["z"] }],
      inputs: [{ name: "x", shape: [1, 2] }],
      outputs: [evil, "z"],
    }),
  );
  await step("convert onnx", () => type(["convert", "onnx", "--model", at("net.onnx"), ...out]));
  const torch = ["convert", "torch", "--network", "alexnet", "--out", at("torch")];
  await step("convert torch", () => type([...torch, "--weights", at(`${evil}.safetensors`)]), 1);
  const entry = (file: string) => `release_deepsim_v0/fc6/generator.${file}`;
  await using server = serve(zipSync({
    [entry("prototxt")]: Deno.readFileSync(at("net.prototxt")),
    [entry("caffemodel")]: new Uint8Array(9),
  }));
  await step("get", () => type(["get:mirror", "deepsim-fc6", "--from", server.url, "--out", at("got")]), 1);
});

Deno.test("a progress line holds a file's text as text, in a log and in a terminal", () => {
  for (const columns of [undefined, 200]) {
    const written: string[] = [];
    const bar = progress("layer", { columns, write: (text) => void written.push(text), now: () => 0 });
    bar.show({ done: 1, total: 1, note: evil });
    const [shown] = written;
    const start = columns === undefined ? 0 : "\r\x1b[K".length;
    assert.ok(shown.includes(tamed), shown);
    assert.doesNotMatch(shown.slice(start).trimEnd(), unprintable);
  }
});
