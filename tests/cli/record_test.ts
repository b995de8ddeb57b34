import assert from "node:assert/strict";
import { UserError } from "../../src/formats/user_error.ts";
import { decodeCode, encodeCode, type PictureRecord, readRecord, recordText } from "../../src/record/record.ts";

const model = { name: "tiny", hash: "0123" };
const record: PictureRecord = {
  version: "0.1.0",
  classifier: model,
  generator: model,
  layer: "fc8",
  units: [945],
  xy: [1, 2],
  seed: 0,
  start: { file: "cat.jpg", code: encodeCode(Float32Array.of(1, -2.5)) },
  iterations: 200,
  rule: "paper",
  lrStart: 8,
  lrEnd: 1e-10,
  decay: 0.99,
  gamma: 0,
  arithmetic: "f16",
  adapter: "llvmpipe",
  result: { iterations: 200, activation: 17.6, top: [{ unit: 945, name: "bell pepper", activation: 17.6 }] },
};

const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error) => error instanceof UserError && message.test(error.message));

Deno.test("a record survives its way through a picture's text", () => {
  assert.deepEqual(readRecord(recordText(record, "a pepper"), "a.png"), record);
  const { xy: _, start: __, ...plain } = record;
  assert.deepEqual(readRecord(recordText(plain, "a pepper"), "a.png"), plain);
});

Deno.test("a record that makes no sense is refused by the name of the field", () => {
  refused(() => readRecord({ Software: "GIMP" }, "a.png"), /a\.png does not say how it was made/);
  refused(() => readRecord({}, "a.png", true), /a\.png does not say how it was made: its text is damaged/);
  refused(() => readRecord({ phosphene: "{" }, "a.png"), /not in JSON/);
  const wrong = {
    units: [],
    seed: -1,
    iterations: 0,
    rule: "sgd",
    decay: "1",
    xy: [1],
    arithmetic: "f64",
    classifier: { name: "tiny" },
  };
  for (const [field, value] of Object.entries(wrong)) {
    const text = JSON.stringify({ ...record, [field]: value });
    refused(() => readRecord({ phosphene: text }, "a.png"), new RegExp(`"${field}" is missing or makes no sense`));
  }
  const tooMuch: [string, unknown][] = [
    ["units", [3, 1, 3]],
    ["units", Array(1e6).fill(7)],
    ["units", Array.from({ length: 10_001 }, (_, unit) => unit)],
    ["seed", 2 ** 32],
    ["iterations", 1e9],
    ["lrStart", 1e300],
    ["lrEnd", -1],
    ["decay", 99],
    ["gamma", 1e300],
    ["frames", 10_001],
    ["windowSize", 0],
    ["fps", 51],
    ["batch", 10_001],
  ];
  for (const [field, value] of tooMuch) {
    const text = JSON.stringify({ ...record, [field]: value });
    refused(() => readRecord({ phosphene: text }, "a.png"), new RegExp(`"${field}" is missing or makes no sense`));
  }
  const [none, one] = [[], [{ units: [3], seed: 1 }]];
  const placed = (fields: object) => () => readRecord({ phosphene: JSON.stringify({ ...record, ...fields }) }, "a.png");
  for (const place of [0, 1]) assert.equal(placed({ beside: one, place })().place, place);
  refused(placed({ beside: one, place: 2 }), /"place" is 2 among 1 others$/);
  refused(placed({ beside: none, place: 1 }), /"place" is 1 among 0 others$/);
  refused(placed({ place: 1 }), /"place" is 1 among 0 others$/);
  for (const text of ["null", "3", "[]"]) {
    refused(() => readRecord({ phosphene: text }, "a.png"), /"version" is missing/);
  }
});

Deno.test("a code is read back to the bit, and refused where it is another generator's or damaged", () => {
  const code = Float32Array.of(1, -2.5, 1e-30);
  assert.deepEqual(decodeCode(encodeCode(code), 3, "a.png"), code);
  for (
    const text of ["", "AAAA", "not base64!", encodeCode(Float32Array.of(1, 2)), encodeCode(Float32Array.of(1, 2, NaN))]
  ) {
    refused(() => decodeCode(text, 3, "a.png"), /a\.png: the code it started from is not 3 numbers/);
  }
});
