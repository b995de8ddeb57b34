/** Tensors larger than a binding and dispatches wider than a dimension: what a tiny limit does to small cases. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { ROW, TEXEL } from "../../src/gpu/tensor.ts";
import { allCases } from "../cases/all.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { checkCase, checkNetwork } from "../ops/check_case.ts";
import { pretend, spyLabels } from "./pretend.ts";

// The small tiles of GPUs: a kernel that finds its way among many parts at every load takes long to compile.
const real = pretend(await openDevice(), { software: false });

/** A case of every op, and the texels of one part of a tensor: a few times less than its maps or weights have. */
const cut: [type: string, name: string, texels: number][] = [
  ["conv2d", "caffenet64 conv1", 4096],
  ["conv2d", "groups, dilation and stride", 256],
  ["deconv2d", "deepsim64 deconv4", 4096],
  ["deconv2d", "groups, dilation, stride and output padding", 256],
  ["fc", "caffenet64 fc8", 1 << 16],
  ["fc", "image of 5 channels", 64],
  ["relu", "caffenet64 relu1", 4096],
  ["sigmoid", "image", 1024],
  ["tanh", "odd sizes, batch 3", 64],
  ["maxpool", "caffenet64 pool1: 32 to 16", 4096],
  ["avgpool", "global over 90,000 pixels", 1 << 15],
  ["lrn", "caffenet norm1", 9216],
  ["concat", "googlenet inception 3a", 4096],
  ["concat", "1, 3 and 5 channels", 64],
  ["eltwise", "resnet sum", 1024],
  ["scale", "resnet scale", 1024],
  ["batchnorm", "resnet bn", 1024],
  ["softmax", "70,001 classes", 4096],
  ["flatten", "caffenet64 pool5", 256],
  ["reshape", "deepsim fc6 to 4x4", 256],
  ["crop", "deepsim 256 to caffenet 227", 1 << 14],
];

for (const [type, name, texels] of cut) {
  const testCase = allCases.find((other) => other.type === type && other.name === name)!;
  for (const storage of texels < ROW ? ["buffer"] as const : ["buffer", "texture"] as const) {
    Deno.test(`${type} ${name}: tensors in parts of ${texels} texels, ${storage}`, async () => {
      const device = pretend(real, { maxBinding: texels * TEXEL, maxTexture: texels / ROW }, storage);
      const labels = spyLabels(device);
      await checkCase(device, testCase);
      assert.ok(labels.some((label) => label.endsWith("(part 2)")), "nothing was cut");
    });
  }
}

const [oddClassifier, , inPlace, generator] = smallNetworks;

for (const network of [oddClassifier, generator]) {
  Deno.test(`${network.network.name}: every tensor in parts`, async () => {
    const device = pretend(real, { maxBinding: 512 * TEXEL }, "buffer");
    const labels = spyLabels(device);
    await checkNetwork(device, network);
    assert.ok(labels.some((label) => label.endsWith("(part 2)")), "nothing was cut");
  });
}

Deno.test(`${inPlace.network.name}: dispatches wider than a dimension`, async () => {
  await checkNetwork(pretend(real, { maxGroups: 3 }), inPlace);
});

Deno.test("fc in parts on SwiftShader: no branch in its loops, which its compiler does not bear", async () => {
  const device = pretend(real, { maxBinding: 64 * TEXEL, swiftshader: true }, "buffer");
  const testCase = allCases.find(({ type, name }) => type === "fc" && name === "image of 5 channels")!;
  const labels = spyLabels(device);
  await checkCase(device, testCase);
  assert.ok(labels.some((label) => label.endsWith("(part 2)")), "nothing was cut");
  const loaders = [...device.cache.keys()].flatMap((wgsl) => wgsl.match(/fn load_w\([^}]*/g) ?? []);
  assert.ok(loaders.some((loader) => loader.includes("select(")), "nothing was loaded from parts");
  for (const loader of loaders) assert.ok(!/\bif\b/.test(loader), loader);
});
