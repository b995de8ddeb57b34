/** ONNX models that are not supported, broken or ask for much: each is refused in a sentence, at once. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { externalFiles } from "../../../../tools/convert/onnx/command.ts";
import { readOnnx } from "../../../../tools/convert/onnx/proto.ts";
import { tensorOf } from "../../../../tools/convert/onnx/tensor.ts";
import { fuzz } from "../../../formats/fuzz.ts";
import { refuses } from "../converted.ts";
import { convert, typesOf } from "./converted.ts";
import { float, int64, type ModelFile, onnxModel } from "./writer.ts";
import { classifier, damageModel, file, manyOperators, olderOperators, pickingOperators, single } from "./models.ts";

Deno.test("onnx: what is not supported says so, and what to do", () => {
  const refused = (bytes: Uint8Array, message: RegExp, options = {}) => refuses(() => convert(bytes, options), message);
  refused(
    single("NonZero"),
    /^net\.onnx: NonZero "y": this operator is not supported; docs\/onnx\.md lists those that are$/,
  );
  refused(
    onnxModel({
      nodes: [{ type: "Gelu", domain: "com.microsoft", inputs: ["x"], outputs: ["y"] }],
      inputs: [{ name: "x", shape: [2, 3] }],
      outputs: ["y"],
    }),
    /this operator of com\.microsoft is not supported/,
  );
  const conv = single("Conv", {
    others: ["W"],
    inputs: [{ name: "x", shape: [1, 2, 3, 3] }, { name: "W", shape: [1, 2, 3, 3] }],
  });
  refused(
    conv,
    /Conv "y": the weight, the model's input "W", must be constant; give its value with --constant W=FILE\.npy$/,
  );
  const w = tensorOf("float32", [1, 3, 3, 3], new Float32Array(27));
  refused(conv, /its weight \[1,3,3,3\] in 1 groups does not fit 2 channels/, { constants: new Map([["W", w]]) });
  refused(conv, /it has no input "V"; its inputs are x, W/, { constants: new Map([["V", w]]) });
  refused(
    single("Relu", { inputs: [{ name: "x", shape: [2, 3], type: 8 }] }),
    /input "x" is of ONNX's type 8, and networks compute with real numbers alone/,
  );
  refused(
    single("Reshape", { others: ["s"], inputs: [{ name: "x", shape: [2, 3] }, { name: "s", shape: [1], type: 7 }] }),
    /the shape, the model's input "s", must be constant; give its value with --constant s=FILE\.npy$/,
  );
  refused(
    single("ReduceSum", { others: ["a"], inputs: [{ name: "x", shape: [2, 3] }, { name: "a", shape: [0], type: 7 }] }),
    /input "a" of \[0\] holds no values; if it is a setting, give its value with --constant a=FILE\.npy$/,
  );
  refused(
    single("Relu", { inputs: [{ name: "x", shape: [1, 3, "H", "W"] }] }),
    /input "x" leaves dimension 2 open; give its shape with --shape x=1,3,224,224$/,
  );
  refused(
    single("ConstantOfShape", { inputs: [{ name: "x", shape: [2], type: 7 }] }),
    /its input 1, the model's input "x", must be constant; give its value with --constant x=FILE\.npy$/,
  );
  for (const type of ["Sum", "Mean", "Max", "Concat"]) {
    const node = { type, inputs: [], outputs: ["y"], attributes: { axis: 0 } };
    refused(single(type, { nodes: [node] }), /its input 1 is missing|it has 0 inputs, expected 1/);
  }
  refused(single("LRN", { attributes: { size: "five" } }), /its attribute "size" is not a number/);
  refused(
    single("Constant", { nodes: [{ type: "Constant", inputs: [], outputs: ["y"], attributes: { value: file(2) } }] }),
    /its output does not depend on an input/,
  );
  refused(single("Relu", { opset: 0 }), /does not say of which version its operators are/);
  refused(single("Relu", { outputs: ["z"] }), /nothing makes its output "z"/);
  refused(single("Add", { others: ["k"], initializers: { k: float([3], [1, NaN, 2]) } }), /holds NaN or infinity/);
});

Deno.test("onnx: what is known cannot unfold to more than there is", () => {
  const shape = int64(2 ** 20, 2 ** 20);
  refuses(
    () =>
      convert(single("Add", {
        nodes: [{ type: "ConstantOfShape", inputs: ["s"], outputs: ["k"] }, {
          type: "Add",
          inputs: ["x", "k"],
          outputs: ["y"],
        }],
        initializers: { s: shape },
      })),
    /ConstantOfShape "k": it makes a tensor of \[1048576,1048576\]/,
  );
  const doubling = Array.from({ length: 40 }, (_, n) => ({
    type: "Concat",
    inputs: [`k${n}`, `k${n}`],
    outputs: [`k${n + 1}`],
    attributes: { axis: 0 },
  }));
  refuses(
    () =>
      convert(single("Add", {
        nodes: [...doubling, { type: "Add", inputs: ["x", "k40"], outputs: ["y"] }],
        initializers: { k0: float([4], [1, 2, 3, 4]) },
      })),
    /unfolds to far more than the file holds|it makes \d+ numbers of known ones/,
  );
});

Deno.test("onnx: thousands of dimensions, inputs or outputs are refused or done at once", () => {
  const of = (nodes: ModelFile["nodes"], initializers: ModelFile["initializers"]) =>
    convert(single("Add", { nodes: [...nodes, { type: "Add", inputs: ["x", "k"], outputs: ["y"] }], initializers }));
  const ones = { s: int64(...Array(300).fill(1)) };
  const known = { n: int64(200_000), one: float([1], [1]) };
  refuses(
    () => of([{ type: "ConstantOfShape", inputs: ["s"], outputs: ["k"] }], ones),
    /ConstantOfShape "k": it makes a tensor of 300 dimensions/,
  );
  const shape = { type: "ConstantOfShape", inputs: ["n"], outputs: ["s"] };
  const inputs = ["one", "s"];
  for (const type of ["Expand", "Reshape"]) {
    refuses(() => of([shape, { type, inputs, outputs: ["k"] }], known), /it makes a tensor of 200000 dimensions/);
  }
  refuses(
    () => of([shape, { type: "Unsqueeze", inputs, outputs: ["k"] }], known),
    /it makes a tensor of 200001 dimensions/,
  );
  refuses(
    () => of([{ type: "Tile", inputs: ["one", "many"], outputs: ["k"] }], { ...known, many: int64(2 ** 40) }),
    /Tile "k": its repeats are \[1099511627776\] for \[1\]/,
  );
  const repeated = Array(100_000).fill("one");
  refuses(
    () => of([{ type: "Max", inputs: repeated, outputs: ["k"] }], known),
    /takes 100000 known tensors for 1 numbers/,
  );
  assert.ok(of([{ type: "Max", inputs: repeated.slice(0, 1000), outputs: ["k"] }], known));
  const outputs = Array(4000).fill("y");
  const nodes = [{ type: "Identity", inputs: ["x"], outputs: ["y"] }];
  assert.deepEqual(convert(onnxModel({ nodes, inputs: [{ name: "x", shape: ["N", 2] }], outputs })).outputs, ["y"]);
});

Deno.test("onnx: one file of external data cannot fill memory for a thousand tensors", () => {
  const external = externalFiles(join(import.meta.dirname!, "net.onnx"));
  const read = () => external("writer.ts", 0, undefined);
  assert.deepEqual(read(), read());
  refuses(read, /writer\.ts is read more than twice over by the model's tensors$/);
  assert.equal(external("expected.ts", 1, 3).length, 3);
  refuses(() => external("../onnx/writer.ts", 0, 1), /outside the model's folder$/);
});

Deno.test("onnx: damaged files", () => {
  refuses(() => convert(new TextEncoder().encode("no model")), /^net\.onnx: /);
  refuses(() => convert(new Uint8Array(0)), /^net\.onnx: this is empty, not an ONNX model$/);
  const bytes = onnxModel(classifier);
  for (const model of [manyOperators, olderOperators]) {
    assert.equal(convert(onnxModel(model)).outputs.join(), "y,z");
  }
  assert.equal(readOnnx(bytes, { file: "f", external: () => bytes }).nodes.length, classifier.nodes.length);
  fuzz(bytes, 300, (damaged) => convert(damaged));
  fuzz(bytes, 100, (damaged) => convert(damaged), { damage: damageModel });
  assert.match(typesOf(convert(onnxModel(pickingOperators))), /^resample .* power$/);
  for (const model of [manyOperators, pickingOperators, olderOperators]) {
    fuzz(onnxModel(model), 100, (damaged) => convert(damaged), { damage: damageModel });
  }
});
