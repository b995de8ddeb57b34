/** What `bench kernels` measures, by the options that say it. */
import assert from "node:assert/strict";
import { paramsOf, shapeOf } from "../../bench/kernels/shape.ts";
import { checkTogether, subjectsFor, type Wanted } from "../../bench/kernels/subjects.ts";

const nothing: Wanted = { shape: [], batch: 1 };

Deno.test("bench kernels: a layer of any shape, parameters as words, numbers and lists", async () => {
  assert.deepEqual(
    paramsOf('channels=128,kernel=3x1,stride=[1, 2],bias=false,mode=edge,value=-1.5,to="up"'),
    { channels: 128, kernel: [3, 1], stride: [1, 2], bias: false, mode: "edge", value: -1.5, to: "up" },
  );
  assert.deepEqual([shapeOf("64x56x56"), shapeOf("4096"), shapeOf("[6,3,3]")], [[64, 56, 56], [4096], [6, 3, 3]]);
  const wanted = { ...nothing, op: "conv2d", shape: ["64x56x56"], params: "channels=128,kernel=3,stride=2,padding=1" };
  const [{ layer, batch }] = await subjectsFor({ ...wanted, batch: 4 });
  assert.deepEqual([layer.output.shape, batch], [[128, 28, 28], 4]);
  assert.equal(layer.weight("weight").values.length, 128 * 64 * 9);
  const [joined] = await subjectsFor({ ...nothing, op: "concat", shape: ["5x3x3", "[6,3,3]"] });
  assert.deepEqual([joined.layer.name, joined.layer.output.shape], ["concat 5×3×3, 6×3×3", [11, 3, 3]]);
});

Deno.test("bench kernels: cases bring their batch, networks tell what is the same, the pair's layers can be picked", async () => {
  const cases = await subjectsFor({ ...nothing, case: "lstm: " });
  assert.ok(cases.length > 10);
  assert.deepEqual(cases[0].batch, 16);
  const lrn = await subjectsFor({ ...nothing, network: "googlenet", op: "lrn" });
  assert.deepEqual(lrn.map(({ layer, same }) => [layer.name, same]), [["pool1/norm1", []], ["conv2/norm2", []]]);
  const [conv3] = await subjectsFor({ ...nothing, op: "conv2d", layer: "conv4" });
  assert.equal(conv3.layer.name, "conv4_1");
  const resnet = await subjectsFor({ ...nothing, network: "resnet50", op: "conv2d" });
  assert.equal(resnet.reduce((sum, { same }) => sum + 1 + same.length, 0), 53);
  assert.ok(resnet.length < 30);
});

Deno.test("bench kernels: what makes no sense is one sentence", async () => {
  const refused = (other: Partial<Wanted>, message: RegExp) =>
    assert.rejects(subjectsFor({ ...nothing, ...other }), { name: "UserError", message });
  await refused({ op: "pool9" }, /^--op is "pool9", expected fc, .*, which are there, or a --shape for it$/);
  await refused({ layer: "conv9" }, /^--layer conv9 is part of no name, expected one of defc7, /);
  await refused({ network: "lenet" }, /^--network expects caffenet or /);
  await refused({ case: "no such" }, /^no case has "no such" in its name$/);
  await refused({ op: "conv3d", shape: ["3"] }, /^conv3d 3: type "conv3d" is unknown, expected one of /);
  await refused(
    { op: "fc", shape: ["3xa"] },
    /^--shape expects an item's dimensions like 64x56x56 or 4096, got "3xa"$/,
  );
  await refused({ op: "fc", shape: ["3x0"] }, /^--shape 3x0: shape is \[3,0\], expected /);
  await refused({ op: "fc", shape: ["3"], params: "channels" }, /^--params expects NAME=VALUE,.*, got "channels"$/);
  await refused({ op: "fc", shape: ["3"], params: "axis=0,axis=1" }, /^--params gives axis twice$/);
  await refused(
    { op: "fc", shape: ["3"], params: "channels=2,pad=1" },
    /^fc 3 channels=2,pad=1: unknown parameter "pad"$/,
  );
  await refused({ op: "dropout", shape: ["4x2x2"] }, /^dropout 4×2×2: there is nothing to measure/);
  const together = (given: Partial<Wanted>, batch: string | undefined, message: RegExp) =>
    assert.throws(() => checkTogether({ ...nothing, ...given }, batch), { name: "UserError", message });
  together(
    { case: "lstm", network: "googlenet" },
    undefined,
    /^--network and --case are two things to measure; give one$/,
  );
  together({ case: "lstm" }, "2", /^--batch says nothing of what --case measures$/);
  together({ shape: ["3"] }, undefined, /^--shape needs the layer's type: --op conv2d$/);
  together({ shape: ["3"], op: "fc", layer: "x" }, undefined, /^--layer says nothing of what --shape measures$/);
  together({ params: "channels=3" }, undefined, /^--params needs the shape of an input: --shape CxHxW$/);
  checkTogether({ ...nothing, model: "x", op: "fc", layer: "fc6" }, "2");
});
