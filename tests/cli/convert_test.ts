/** deno task convert: folders appear whole or not at all, and faults are one sentence. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { zipSync } from "fflate";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { toFloat32 } from "../../src/formats/safetensors.ts";
import { loadModel } from "../../src/net/model.ts";
import { modelFolder } from "../../src/cli/files.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { blob, blobProto, caffemodel } from "../tools/convert/caffe_files.ts";
import { googlenet, zeros } from "../tools/convert/state_dicts.ts";
import { onnxModel } from "../tools/convert/onnx/writer.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

const prototxt = `name: "tiny" input: "data" input_shape { dim: [1, 3, 2, 2] }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 } }`;
const weights = caffemodel({ ip: [blob([2, 12], Array(24).fill(0.5)), blob([2], [1, 2])] });

/** A folder with a Caffe network, and how to convert it to "out" there with more options. */
function caffe() {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  Deno.writeTextFileSync(at("deploy.prototxt"), prototxt);
  Deno.writeFileSync(at("tiny.caffemodel"), weights);
  Deno.writeFileSync(at("mean.binaryproto"), blobProto(blob([1, 3, 1, 1], [7, 8, 9])));
  const files = ["--prototxt", at("deploy.prototxt"), "--caffemodel", at("tiny.caffemodel"), "--out", at("out")];
  return {
    at,
    convert: (options: string[] = [], circumstances = {}) =>
      type(["convert", "caffe", ...files, ...options], circumstances),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("convert: a Caffe network becomes a model that loads; --force replaces it and keeps its labels", async () => {
  using given = caffe();
  const first = await given.convert(["--mean", given.at("mean.binaryproto")]);
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /out: 1 layers, 26 parameters, [\d.]+ s\npixels lose 7, 8, 9 \(BGR, as given\)\n$/);
  assert.deepEqual((await loadModel(modelFolder(given.at("out")), "out")).network.image?.mean, [7, 8, 9]);

  const again = await given.convert();
  assert.match(again.err, /^convert caffe: .*out exists; --force replaces it\n$/);
  Deno.writeTextFileSync(given.at("out/labels.txt"), "cat\ndog\n");
  const picture = ["--resize", "3", "--warp", "--order", "RGB", "--scale", "0.5"];
  const forced = await given.convert(["--force", "--weights", "f16", "--code", "fc6", ...picture]);
  assert.equal(forced.code, 0, forced.err);
  assert.match(forced.out, /weights in f16: each changes by at most 0\.0 % of the largest in its tensor\n/);
  assert.match(forced.err, /^warning: the mean that pixels lose is unknown: give --mean; 0 is written\n$/);
  const replaced = await loadModel(modelFolder(given.at("out")), "out");
  assert.equal(replaced.weights.get("ip.weight")!.dtype, "F16");
  assert.deepEqual(replaced.labels, ["cat", "dog"]);
  assert.deepEqual(replaced.network.code, { layer: "fc6", sigmas: 3 });
  const { order, scale, resize, warp } = replaced.network.image!;
  assert.deepEqual([order, scale, resize, warp], ["RGB", 0.5, 3, true]);
  assert.deepEqual(namesIn(given.at("")), ["deploy.prototxt", "mean.binaryproto", "out", "tiny.caffemodel"]);

  Deno.writeTextFileSync(given.at("out/notes.txt"), "mine");
  assert.match((await given.convert(["--force"])).err, /holds notes.txt, which is no part of a model/);
});

Deno.test("convert: a failure is one sentence and leaves nothing behind", async () => {
  using given = caffe();
  const refused = async (message: RegExp, options: string[] = [], circumstances = {}) => {
    const { code, err } = await given.convert(options, circumstances);
    assert.equal(code, 1);
    assert.match(err, message);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
    assert.deepEqual(namesIn(given.at("")), ["deploy.prototxt", "mean.binaryproto", "tiny.caffemodel"]);
  };
  await refused(/--scale expects a number, or one a channel .* got "-1"/, ["--scale=-1"]);
  await refused(/--mean 1,2 may be of|2 means are given, the picture has 3 channels/, ["--mean", "1,2"]);
  await refused(/--std 58 is not of pixels from 0 to 1; --range 0-255/, ["--std", "58", "--range", "0-1"]);
  await refused(/--pixels tf says all of it; leave out --mean, or --pixels/, ["--pixels", "tf", "--mean", "127.5"]);
  await refused(/pictures resized to 1 are smaller than the input, 2×2/, ["--resize", "1"]);
  await refused(/--mean expects a number, or one a channel like 104,117,123, .* got "1,,2"/, ["--mean", "1,,2"]);
  await refused(/--order expects RGB or BGR, got "GBR"/, ["--order", "GBR"]);
  await refused(/mean.png cannot be read: it does not exist/, ["--mean", "mean.png"]);
  Deno.writeFileSync(given.at("deploy.prototxt"), weights);
  await refused(/deploy.prototxt is not text; is it the caffemodel\?|deploy.prototxt:1: /);
  Deno.writeTextFileSync(given.at("deploy.prototxt"), prototxt);
  Deno.writeFileSync(
    given.at("tiny.caffemodel"),
    caffemodel({ ip: [blob([2, 12], Array(24).fill(NaN)), blob([2], [1, 2])] }),
  );
  await refused(/deploy.prototxt:2: layer "ip" \("InnerProduct"\): its weight holds NaN or infinity/);
});

Deno.test("convert: where the disk is full nothing is left behind", async () => {
  using given = caffe();
  const wide = caffemodel({ ip: [blob([200, 12], Array(2400).fill(0.5)), blob([200], Array(200).fill(0))] });
  Deno.writeTextFileSync(given.at("deploy.prototxt"), prototxt.replace("num_output: 2", "num_output: 200"));
  Deno.writeFileSync(given.at("tiny.caffemodel"), wide);
  const { code, err } = await given.convert([], { fileBlocks: 4 });
  assert.equal(code, 1);
  assert.match(err, /out cannot be written: [^\n]*large/);
  assert.deepEqual(namesIn(given.at("")), ["deploy.prototxt", "mean.binaryproto", "tiny.caffemodel"]);
});

Deno.test("convert: a state dict becomes a model with labels; a pickle is refused", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const names = ["labels.txt", "net.pth", "net.safetensors"];
  const shapes = Object.entries(googlenet).map(([name, shape]) => [name, zeros(shape, "BF16")] as const);
  Deno.writeFileSync(at("net.safetensors"), writeSafetensors(new Map(shapes)));
  Deno.writeFileSync(at("net.pth"), zipSync({ "net/data.pkl": Uint8Array.of(0x80, 2) }));
  Deno.writeTextFileSync(at("labels.txt"), "one\ntwo\n");
  const convert = (weights: string, ...options: string[]) =>
    type(["convert", "torch", "--weights", at(weights), "--network", "googlenet", "--out", at("out"), ...options]);
  const refused = async (message: RegExp, weights: string, ...options: string[]) => {
    const { code, err } = await convert(weights, ...options);
    assert.equal(code, 1);
    assert.match(err, message);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
    assert.deepEqual(namesIn(at("")), names);
  };
  await refused(/^convert torch: .*net.pth: this is a PyTorch pickle .* save_file\(torch\.load/, "net.pth");
  await refused(
    /labels.txt has 2 lines, the network has 1000 classes/,
    "net.safetensors",
    "--labels",
    at("labels.txt"),
  );
  await refused(/--std expects a number, .* got "0,1,1"/, "net.safetensors", "--std", "0,1,1");
  await refused(/--range 0-255 says that/, "net.safetensors", "--mean", "123.7", "--order", "BGR");
  await refused(/leave out --scale/, "net.safetensors", "--pixels", "zero-one", "--scale", "2", "--range", "0-1");

  const label = (n: number) => `class ${n}`;
  Deno.writeTextFileSync(at("labels.txt"), Array.from({ length: 1000 }, (_, n) => label(n)).join("\n"));
  const { code, out, err } = await convert("net.safetensors", "--labels", at("labels.txt"));
  assert.equal(code, 0, err);
  assert.match(
    out,
    /out: 196 layers, [\d,]+ parameters, [\d.]+ s\npixels lose 127.5, 127.5, 127.5 and are multiplied by 0.00784314 \(RGB/,
  );
  const model = await loadModel(modelFolder(at("out")), "out");
  assert.equal(model.weights.get("inception3a.branch1.bn.mean")!.dtype, "BF16");
  assert.equal(model.labels[999], label(999));

  const other = await convert("net.safetensors", "--mean", "0.5,0.25,0.125", "--std", "0.5,0.5,0.25", "--force");
  assert.equal(other.code, 0, other.err);
  assert.match(
    other.out,
    /lose 127.5, 63.75, 31.875 and are multiplied by 0.00784314, 0.00784314, 0.0156863 \(RGB, of the input\)\n$/,
  );
  assert.equal((await loadModel(modelFolder(at("out")), "out")).labels[999], label(999));
});

Deno.test("convert: what it converts must be said", async () => {
  assert.match((await type(["convert"])).err, /^convert: expected what to convert, .*, got nothing\n$/);
  assert.match((await type(["convert", "keras"])).err, /got "keras"/);
  assert.match((await type(["convert", "--help"])).out, /deno task convert caffe --help/);
});

Deno.test("convert onnx: a weight that is an input, one beside the model, and none from elsewhere", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const node = { type: "MatMul", inputs: ["x", "w"], outputs: ["y"] };
  const x = { name: "x", shape: [2, 3] };
  Deno.writeFileSync(
    at("known.onnx"),
    onnxModel({
      nodes: [{ ...node, type: "Conv" }],
      inputs: [{ ...x, shape: [1, 1, 2, 2] }, { name: "w", shape: [1, 1, 2, 2] }],
      outputs: ["y"],
    }),
  );
  const convert = (model: string, ...more: string[]) =>
    type(["convert", "onnx", "--model", at(model), "--out", at("out"), "--force", ...more]);
  assert.match((await convert("known.onnx")).err, /must be constant; give its value with --constant w=FILE.npy\n$/);
  Deno.writeFileSync(at("w.npy"), writeNpy({ shape: [1, 1, 2, 2], data: Float64Array.of(1, 2, 3, 4) }));
  const known = await convert("known.onnx", "--constant", `w=${at("w.npy")}`);
  assert.equal(known.code, 0, known.err);
  assert.match(known.out, /out: 1 layers, 4 parameters/);
  Deno.writeFileSync(at("x.npy"), writeNpy({ shape: [1, 1, 2, 2], data: Float32Array.of(1, 10, 100, 1000) }));
  const run = await type(["infer", "--model", at("out"), "--input", at("x.npy"), "--output", at("y.npy")]);
  assert.equal(run.code, 0, run.err);
  assert.deepEqual(readNpy(Deno.readFileSync(at("y.npy")), "y.npy"), {
    shape: [1, 1, 1, 1],
    dtype: "f4",
    data: Float32Array.of(4321),
  });

  const picture = ["--mean", "0.2", "--std", "0.5", "--range", "0-1", "--order", "BGR", "--shape", "x=3,1,2,2"];
  const batch = await convert("known.onnx", "--constant", `w=${at("w.npy")}`, ...picture);
  assert.equal(batch.code, 0, batch.err);
  assert.match(batch.out, /pixels lose 51 and are multiplied by 0\.00784314 \(grey, of input "x"\)\n$/);
  const { image } = (await loadModel(modelFolder(at("out")), "out")).network;
  assert.deepEqual([image?.order, image?.mean, image?.scale], ["BGR", [51], 0.00784313725490196]);
  assert.match(
    (await convert("known.onnx", "--pixels", "tf", "--scale", "2")).err,
    /leave out --scale, or --pixels\n$/,
  );

  const last = {
    nodes: [{ ...node, type: "Relu", inputs: ["x"] }],
    inputs: [{ ...x, shape: [1, 2, 2, 1] }],
    outputs: ["y"],
  };
  Deno.writeFileSync(at("last.onnx"), onnxModel(last));
  assert.match(
    (await convert("last.onnx", "--mean", "7")).out,
    /\ninput x and output y: channels last in the model, first in the network, and for infer\n/,
  );

  const beside = (location: string, ...more: string[]) => {
    const w = { shape: [3, 2], values: [], external: { location, offset: "4", length: "24" } };
    Deno.writeFileSync(
      at("beside.onnx"),
      onnxModel({ nodes: [node], initializers: { w }, inputs: [x], outputs: ["y"] }),
    );
    return convert("beside.onnx", ...more);
  };
  Deno.writeFileSync(at("w.bin"), new Uint8Array(Float32Array.of(9, 1, 2, 3, 4, 5, 6).buffer));
  const narrow = await beside("w.bin", "--weights", "i8");
  assert.match(
    narrow.out,
    /6 parameters, .*\nweights in i8: each changes by at most 0\.\d+ % of the largest in its tensor\n/,
  );
  const outside = await beside("w.bin");
  assert.equal(outside.code, 0, outside.err);
  const { weights } = await loadModel(modelFolder(at("out")), "out");
  assert.deepEqual([...toFloat32(weights.get("y.weight")!)], [1, 3, 5, 2, 4, 6]);
  for (const location of ["../w.bin", "/etc/passwd", "a/../../w.bin"]) {
    assert.match((await beside(location)).err, /its values lie in ".*", outside the model's folder\n$/);
  }
  assert.match((await beside("no.bin")).err, /no.bin cannot be read: it does not exist\n$/);
});
