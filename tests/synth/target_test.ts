/** Targets that make no sense, or do not fit. */
import assert from "node:assert/strict";
import { checkSearch } from "../../src/synth/search.ts";
import { small } from "./small.ts";

Deno.test("targets that do not fit are refused in a sentence", () => {
  const { generator, classifier } = small();
  const directions = { "v.npy": new Float32Array(7) };
  const cases: [target: string, message: RegExp][] = [
    ["", /makes no sense at its end: expected the name of a layer/],
    ["conv", /expected LAYER:UNIT, such as fc8:945/],
    ["out:1+out:2", /makes no sense at "\+out:2": expected " \+ ", " - " or the end/],
    ["out:1 * 2", /makes no sense at " \* 2"/],
    ["conv:1@2", /expected a position such as @3,5/],
    ["loss(out)", /there is no loss\(…\), expected one of mean, sum,.* pair/],
    ["mean(conv)", /expected LAYER:UNIT/],
    ["pair(out:1)", /of two terms or more/],
    ["pair(out:1, pair(out:0, out:2))", /expected a term: a pair is no part of another one$/],
    ["none:1", /no layer "none"; the layers are data, conv, pool, out/],
    ["conv+tanh:1", /no layer of type "tanh" writes "conv"; what there is of it: conv\+conv2d, conv\+relu, conv\+last/],
    ["out:5", /unit 5 is not in "out", which has units 0 to 4/],
    ["conv:1@7,0", /position 7,0 is not in "conv"/],
    ["dot(conv, v.npy)", /direction v\.npy has 7 values, "conv" has 8 channels/],
    ["dot(conv, w.npy)", /direction w\.npy has no values, "conv" has 8 channels/],
    ["diversity(conv)", /compares pictures that are made together; there is only one/],
    ["1e999*out:1", /a factor that float32 can hold/],
    [`pair(${Array.from({ length: 300 }, (_, n) => `conv:${n % 8}@${n % 7},${n >> 6}`)}, norm(conv))`, /at most 244/],
    [`pair(${Array(4097).fill("out:1").join(", ")})`, /^a target has more than 4096 terms$/],
    [`${"pair(out:1, out:2) + ".repeat(2048)}pair(out:1, out:2)`, /^a target has more than 4096 terms$/],
    [`${"out:1 + ".repeat(4096)}out:2`, /^a target has more than 4096 terms$/],
  ];
  for (const [target, message] of cases) {
    const check = () => checkSearch({ generator, classifier, directions, targets: [{ target, seed: 0 }] });
    assert.throws(
      check,
      (error: Error) => error.name === "UserError" && message.test(error.message),
      target.slice(0, 99),
    );
  }
});
