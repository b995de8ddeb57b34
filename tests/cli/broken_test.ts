/** Broken files at the command line: exit code 1, one sentence, and nothing left behind. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeNpy } from "../../src/formats/npy.ts";
import { encodedChunks, encodePng } from "../../src/formats/png.ts";
import { writeChunks } from "../../src/formats/png_chunks.ts";
import { writeTinyModels, writeWeights } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

Deno.test("broken files: every command says in one sentence what is wrong", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const { classifier } = writeTinyModels(folder.path);
  const json = Deno.readTextFileSync(join(classifier, "network.json"));
  const weights = Deno.readFileSync(join(classifier, "weights.safetensors"));
  const copy = (name: string, text: string, bytes = weights) => {
    Deno.mkdirSync(at(name));
    Deno.writeTextFileSync(join(at(name), "network.json"), text);
    Deno.writeFileSync(join(at(name), "weights.safetensors"), bytes);
    return at(name);
  };
  const layer = (text: string) =>
    json.replace('"layers":[', `"layers":[${text},`).replace('"input":"data"', '"input":"up"');
  const up = layer('{"name":"up","type":"deconv2d","inputs":["data"],"channels":3,"kernel":2,"stride":60000}');
  const models = {
    cut: copy("cut", json, weights.subarray(0, -100)),
    huge: copy("huge", up),
    bare: copy("bare", '{"name": "bare", "inputs": [{"name": "data", "shape": [3]}], "layers": []}'),
    deep: copy("deep", json.replace('"trained"', `"trained":${"[".repeat(1e6)}, "x"`)),
  };
  const npy = writeNpy({ shape: [1, 3, 8, 8], data: new Float32Array(192) });
  const [header, ...rest] = encodedChunks({ width: 1, height: 1, rgb: new Uint8Array(3) });
  new DataView(header.data.buffer, header.data.byteOffset).setUint32(0, 60_000);
  new DataView(header.data.buffer, header.data.byteOffset).setUint32(4, 60_000);
  const files: Record<string, Uint8Array | string> = {
    "x.npy": npy,
    "cut.npy": npy.subarray(0, -1),
    "huge.png": writeChunks([header, ...rest]),
    "lfs.onnx": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
    "net.prototxt": `input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 } layer { name: "c" type: "Convolution"
      bottom: "data" top: "c" convolution_param { num_output: 1000000000 kernel_size: 1 } }`,
    "net.caffemodel": Uint8Array.of(0xa2, 6, 3, 10, 1, 99), // a layer "c" without blobs
  };
  for (const [name, content] of Object.entries(files)) {
    Deno.writeFileSync(at(name), typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  const infer = (
    model: string,
    input: string,
  ) => ["infer", "--model", model, "--input", at(input), "--output", at("y.npy")];
  Deno.mkdirSync(at("tfjs"));
  Deno.writeTextFileSync(at("tfjs/model.json"), '{"format": "layers-model", "modelTopology": {}}');
  const cases: [string[], RegExp][] = [
    [["units", "--model", at("tfjs")], /model\.json: this is a TensorFlow\.js model, not a model folder; .* tf2onnx/],
    [
      ["convert", "onnx", "--model", at("lfs.onnx"), "--out", at("out/new")],
      /^convert onnx: .*lfs\.onnx: this is a Git LFS pointer, not an ONNX model; `git lfs pull` /,
    ],
    [["units", "--model", models.cut], /tensor "[\w.]+": ends at byte \d+ of the data, .* is it truncated\?/],
    [["units", "--model", models.bare], /network.json: "layers" is empty, expected a list of layers/],
    [["units", "--model", models.deep], /network.json: not JSON \(it nests more than 100 deep\)/],
    [infer(models.huge, "x.npy"), /layer "up": its output \[3,420002,420002\] takes the room of more than/],
    [infer(classifier, "cut.npy"), /cut.npy: f4 \[1,3,8,8\] takes 768 bytes, the file holds 767/],
    [["classify", "--model", classifier, at("huge.png")], /this PNG cannot be read: 60000 × 60000 pixels/],
    [
      [
        "convert",
        "caffe",
        "--prototxt",
        at("net.prototxt"),
        "--caffemodel",
        at("net.caffemodel"),
        "--out",
        at("out/new"),
      ],
      /layer "c" \("Convolution"\): "channels" is 1000000000, expected a whole number ≥ 1, at most/,
    ],
  ];
  const before = namesIn(folder.path);
  for (const [command, message] of cases) {
    const { code, out, err } = await type(command);
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, message);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
    assert.deepEqual(namesIn(folder.path), before);
  }
});

Deno.test("what is not finite: every command says in one sentence what led there, and writes nothing", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const { classifier, generator } = writeTinyModels(folder.path);
  Deno.writeFileSync(at("x.npy"), writeNpy({ shape: [1, 3, 8, 8], data: new Float32Array(192).fill(1) }));
  Deno.mkdirSync(at("photos"));
  for (const name of ["a.png", "b.png"]) {
    Deno.writeFileSync(at(`photos/${name}`), encodePng({ width: 8, height: 8, rgb: new Uint8Array(192).fill(9) }));
  }
  const models = ["--classifier", classifier, "--generator", generator, "--out", at("out")];
  const refused = async (args: string[], message: RegExp) => {
    const before = namesIn(folder.path);
    const { code, out, err } = await type(args);
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, message);
    assert.deepEqual(namesIn(folder.path), before);
  };
  await refused(
    ["synth", ...models, "--unit", "1", "--lr-start", "1e300"],
    /^synth: --lr-start expects .* to 1000000, /,
  );
  await refused(["synth", ...models, "--unit", "1", "--gamma", "1e9"], /^synth: --gamma balances /);
  writeWeights(classifier, "classifier", (values, name) => name === "fc2.weight" && values.fill(3e38));
  const beyond = (before: string) =>
    new RegExp(`${before} (NaN|-?Infinity).*values on the way leave float32's range .*\n$`);
  await refused(["synth", ...models, "--unit", "1", "--json", "--quiet"], beyond("^synth: tiny classifier's fc3 is"));
  await refused(["classify", "--model", classifier, at("photos/a.png"), "--json"], beyond("fc3 of picture 1 holds"));
  await refused(
    ["infer", "--model", classifier, "--input", at("x.npy"), "--output", at("y.npy")],
    beyond("fc3 of the input holds"),
  );
  await refused(
    ["ranges", "--model", classifier, "--layer", "fc2", "--images", at("photos"), "--out", at("r.safetensors")],
    beyond("fc2 of picture 1 holds"),
  );
});
