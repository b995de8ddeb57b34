/** Which layer's units are meant where nobody names one: the logits, whatever the softmax after them looks like. */
import assert from "node:assert/strict";
import { endsInSoftmax, layerUnits } from "../../src/net/model.ts";
import { caseModel } from "./case_model.ts";

const fc = { name: "fc", type: "fc", input: "data", channels: 5 };
const prob = { name: "prob", type: "softmax", input: "fc" };

/** The layers after `data`, the layer whose units are meant, and whether the output is probabilities. */
const cases: [string, Record<string, unknown>[], string, boolean][] = [
  ["no softmax", [fc], "fc", false],
  ["a softmax", [fc, prob], "fc", true],
  ["a logsoftmax", [fc, { ...prob, type: "logsoftmax" }], "fc", false],
  [
    "a softmax of a blob written in place",
    [fc, { name: "elu", type: "elu", input: "fc", output: "fc" }, prob],
    "elu",
    true,
  ],
  ["a softmax in place, whose logits have no name", [fc, { ...prob, output: "fc" }], "prob", true],
  ["a softmax, then dropout", [fc, prob, { name: "drop", type: "dropout", input: "prob" }], "fc", true],
  [
    "a softmax between reshapes",
    [
      fc,
      { name: "row", type: "reshape", input: "fc", shape: [1, 5] },
      { name: "flat", type: "flatten", input: "row" },
      { ...prob, input: "flat" },
      { name: "back", type: "reshape", input: "prob", shape: [1, 5] },
    ],
    "row",
    true,
  ],
  [
    "a softmax of another shape only",
    [fc, prob, { name: "row", type: "reshape", input: "prob", shape: [1, 5] }],
    "row",
    true,
  ],
  ["a softmax in the middle", [fc, prob, { name: "elu", type: "elu", input: "prob" }], "elu", false],
  ["two softmaxes", [fc, prob, { name: "twice", type: "softmax", input: "prob" }], "prob", true],
];

Deno.test("the units that are meant without --layer", () => {
  for (const [what, layers, layer, softmax] of cases) {
    const network = { name: what, inputs: [{ name: "data", shape: [4] }], layers };
    const model = caseModel({ network: network as never, weights: new Map() });
    const units = layerUnits(model);
    assert.deepEqual([units.name, units.channels, units.labelled], [layer, 5, true], what);
    assert.equal(endsInSoftmax(model), softmax, what);
    assert.ok(layerUnits(model, layers.at(-1)!.name as string).labelled, what);
    if (layer !== "fc" && layers.length > 2) assert.ok(!layerUnits(model, "data").labelled, what);
  }
});
