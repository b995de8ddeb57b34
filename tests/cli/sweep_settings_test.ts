/** What a sweep makes of its settings: lists, ranges and draws. */
import assert from "node:assert/strict";
import { parse } from "../../src/cli/command.ts";
import { command } from "../../src/cli/sweep.ts";
import { combinations, readSpread } from "../../src/cli/sweep/spread.ts";
import { optionOf, settingNames } from "../../src/mod.ts";

Deno.test("sweep: a list is a grid, and what is drawn is the same everywhere on it", () => {
  const spreads = [readSpread("decay", "0.9,1"), readSpread("iterations", "5:7"), readSpread("lrStart", "1:16:log")];
  const all = combinations(spreads, 3, 7);
  const more = combinations(spreads, 4, 7);
  assert.deepEqual(all.map(({ decay }) => decay), [0.9, 0.9, 0.9, 1, 1, 1]);
  const drawn = all.map(({ iterations, lrStart }) => [iterations, lrStart]);
  assert.deepEqual(drawn.slice(3), drawn.slice(0, 3));
  assert.deepEqual(more.slice(0, 3), all.slice(0, 3));
  assert.notDeepEqual(combinations(spreads, 3, 8), all);
  for (const [iterations, lrStart] of combinations(spreads, 400, 0).map((one) => [one.iterations!, one.lrStart!])) {
    assert.ok([5, 6, 7].includes(iterations) && lrStart >= 1 && lrStart <= 16, `${iterations} ${lrStart}`);
  }
  const below4 = combinations([spreads[2]], 1000, 0).filter(({ lrStart }) => lrStart! < 4).length; // half of its logarithm
  assert.ok(below4 > 440 && below4 < 560, `${below4}`);
  assert.deepEqual(combinations([], undefined, 0), [{}]);
});

Deno.test("sweep: what is no value, list or range is one sentence", () => {
  const fails = (act: () => unknown, message: RegExp) => assert.throws(act, { name: "UserError", message });
  for (const text of ["", "1,", "a", "1:2:3", "2:1", "-1:4", "0:4:log", "1:2000000"]) {
    fails(() => readSpread("lrStart", text), /^--lr-start expects numbers from 0 to 1000000: one, a list/);
  }
  fails(() => readSpread("lrStart", "16:1"), /got "16:1", which begins behind its end$/);
  fails(() => readSpread("lrStart", "0:4:log"), /got "0:4:log", and 0 has no logarithm$/);
  fails(() => readSpread("iterations", "1.5"), /^--iterations expects whole numbers from 1/);
  fails(
    () => readSpread("rule", "paper:adam"),
    /^--rule expects one of paper, adam, .*, or a list of them; got "paper:adam"$/,
  );
  fails(() => readSpread("decay", "1,1.0"), /^--decay 1,1.0 lists a value twice$/);
  fails(() => combinations([readSpread("decay", "0:1")], undefined, 0), /^--decay is a range; how often/);
  fails(() => combinations([readSpread("decay", "0,1")], 5, 0), /^--draws draws from ranges/);
});

Deno.test("sweep: what it does not take is told, and what was probably meant", () => {
  const refused = (words: string[], message: RegExp) =>
    assert.throws(() => parse(command, words), { name: "UserError", message });
  refused(["--gamma", "1"], /^--gamma is of synth; a sweep takes none; --help lists the options$/);
  refused(["--decya", "0.9"], /^there is no option --decya; is --decay meant\? --help lists the options$/);
  refused(["--nothing", "0.9"], /^there is no option --nothing; --help lists the options$/);
  const swept = settingNames.filter((name) => Object.hasOwn(command.options, optionOf(name)));
  assert.deepEqual(settingNames.filter((name) => !swept.includes(name)), ["gamma"]);
});
