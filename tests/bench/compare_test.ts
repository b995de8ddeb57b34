/** Comparing samples: made-up machines whose speed drifts by a factor of two and that are busy, and what of it is told. */
import assert from "node:assert/strict";
import { changeOf } from "../../bench/compare/change.ts";
import { compare, comparedLines } from "../../bench/compare/compare.ts";
import { asOnePass, joined, readSamples, type Sampled, type SamplesFile } from "../../bench/samples.ts";
import { normal, type Random } from "../reference/random.ts";

const passes = 5;
const rounds = 6;
const cpu = { kernels: 100, leastRatio: 1.1 };

/** What a machine makes of times. */
interface Machine {
  /** How much longer code takes for where it lies in a pass, on average, as a logarithm. */
  placed: number;
  /** The same of what else happens during a turn. */
  busy: number;
  /** Where its drift begins. */
  start?: number;
}

/**
 * A kernel of so many milliseconds, beside the reference kernel, on a machine whose speed drifts by a factor of two from pass to
 * pass.
 */
function measured(
  key: string,
  ms: number,
  random: Random,
  { placed, busy, start = 10 * random() }: Machine = { placed: 0.02, busy: 0.03 },
): Sampled {
  const above = (mean: number) => Math.exp(mean * (random() ** 2 + random() ** 2) / 2); // an exponential distribution's logarithm
  const sampled: Sampled = { key, ms: [], reference: [] };
  for (let pass = 0; pass < passes; pass++) {
    const slow = 2 ** ((1 + Math.sin(start + pass)) / 2);
    const own = slow * ms * above(placed);
    const turns = (least: number) => Array.from({ length: rounds }, () => least * above(busy));
    sampled.ms.push(turns(own));
    sampled.reference.push(turns(4 * slow));
  }
  return sampled;
}

/** What `compare` makes of it: of each pass the shortest time over the reference kernel's. */
const passesOf = ({ ms, reference }: Sampled): number[] =>
  ms.map((times, pass) => Math.min(...times) / Math.min(...reference[pass]));

const changeBetween = (ratio: number, random: Random, machine?: Machine) => {
  const [before, after] = [1, ratio].map((ms) => passesOf(measured("k", ms, random, machine)));
  return changeOf("k", before, after, cpu);
};

const file = (samples: Sampled[], other: Partial<SamplesFile> = {}): SamplesFile => ({
  ...{ kind: "kernels", adapter: "llvmpipe", software: true, batch: 1, reference: "1f0c", samples },
  ...other,
});

Deno.test("compare: of 2,000 kernels that did not change, none is told, however the machine drifts", () => {
  const random = normal("unchanged");
  for (const machine of [{ placed: 0.03, busy: 0.03 }, { placed: 0.3, busy: 0.5 }]) {
    const told = Array.from({ length: 1000 }, () => changeBetween(1, random, machine)).filter(({ changed }) => changed);
    assert.deepEqual(told, []);
  }
});

Deno.test("compare: a kernel that takes 20 % longer is told, or 17 % less", () => {
  const random = normal("changed");
  for (const ratio of [1.2, 1 / 1.2]) {
    const found = Array.from({ length: 200 }, () => changeBetween(ratio, random));
    assert.ok(found.filter(({ changed }) => changed).length >= 195, `${ratio}`);
    const middle = found.map((change) => change.ratio).sort((a, b) => a - b)[100];
    assert.ok(Math.abs(middle / ratio - 1) < 0.02, `${middle}`);
  }
});

Deno.test("compare: noise of its own hides a change, which is told too, and a change of few passes needs to be clearer", () => {
  const random = normal("noisy");
  const found = Array.from({ length: 100 }, () => changeBetween(1.2, random, { placed: 0.3, busy: 0.03 }));
  assert.ok(found.filter(({ changed }) => changed).length <= 1);
  assert.ok(found.filter(({ noisy }) => noisy).length > 95);
  const change = (before: number[], after: number[]) => changeOf("k", before, after, cpu).changed;
  const slower = [1.2, 1.22, 1.25, 1.21, 1.23];
  assert.equal(change([1, 1.02, 1.05, 1.01, 1.03], slower), true);
  assert.equal(change([1, 1.02], slower.slice(0, 2)), false);
  assert.equal(change([1], [9]), false);
});

Deno.test("compare: two best passes differ by chance as often as the exponential distribution has it", () => {
  const random = normal("by chance");
  const above = () => Math.exp((random() ** 2 + random() ** 2) / 2);
  const five = () => Array.from({ length: passes }, above);
  // Of ten kernels one in twenty is called changed: each with a probability of 0.005.
  const told = Array.from({ length: 20_000 }, () => changeOf("k", five(), five(), { kernels: 10, leastRatio: 1 }))
    .filter(({ changed }) => changed).length;
  assert.ok(told > 20 && told < 120, `${told}`);
});

Deno.test("compare: a line for each change and each kernel of one file alone, and a last one for all", () => {
  const random = normal("lines");
  const of = (slow: string, alone: string) => {
    const machine = { placed: 0.01, busy: 0.01, start: 10 * random() };
    return file(["a", "b", "c", alone].map((key) => measured(key, key === slow ? 1.3 : 1, random, machine)));
  };
  const lines = comparedLines(compare(of("", "x"), of("b", "y")));
  assert.match(lines[0], /^b: slower, takes 1\.[23]\d* times as long, ± [\d.]+ %$/);
  assert.deepEqual(lines.slice(1, 3), ["x: only in the first file", "y: only in the second file"]);
  assert.match(lines[3], /^3 compared, 1 changed by 10 % or more$/);
  assert.match(comparedLines(compare(of("b", "x"), of("", "x")))[0], /^b: faster, takes 0\.\d+ times as long/);
});

Deno.test("compare: files of different conditions are refused in one sentence", () => {
  const random = normal("refused");
  const samples = [measured("a", 1, random)];
  const mine = file(samples);
  const refused = (other: Partial<SamplesFile>, message: RegExp) =>
    assert.throws(() => compare(mine, file(samples, other)), { name: "UserError", message });
  refused({ adapter: "H100" }, /^the files cannot be compared: adapter llvmpipe and H100$/);
  refused({ batch: 20 }, /: batch 1 and 20$/);
  refused({ kind: "synth" }, /: benchmark kernels and synth$/);
  refused({ arithmetic: "f16" }, /: arithmetic f32 and f16$/);
  refused({ reference: "ab" }, /: reference kernel 1f0c and ab$/);
  refused({ samples: [measured("b", 1, random)] }, /: nothing was measured for both$/);
  assert.equal(compare(mine, file(samples, { arithmetic: "f32" })).changes.length, 1);
});

Deno.test("samples: a file comes back as it was written, a damaged one is refused in one sentence", () => {
  const mine = file([{ key: "a", ms: [[1, 2], [3]], reference: [[4, 5], [6]] }]);
  assert.deepEqual(readSamples(JSON.stringify({ ...mine, kernels: [], date: "today" }), "f"), {
    ...mine,
    arithmetic: undefined,
  });
  const refused = (json: unknown, message: RegExp) =>
    assert.throws(() => readSamples(typeof json === "string" ? json : JSON.stringify(json), "f"), {
      name: "UserError",
      message,
    });
  refused("{", /^f: not JSON /);
  for (const other of [[], 1, null, {}, { ...mine, software: 1 }]) {
    refused(
      other,
      /^f: expected what bench kernels, profile or synth write with --json, or the page's "This GPU"$/,
    );
  }
  refused(
    { ...mine, samples: undefined },
    /^f: it has figures but no samples; expected what bench kernels, profile or synth write/,
  );
  refused({ ...mine, batch: "1" }, /^f: "batch" expects a number/);
  refused({ ...mine, layers: { conv1: 1 } }, /^f: "layers" expects texts by name$/);
  refused({ ...mine, samples: [] }, /^f: no pass was measured to its end$/);
  refused({ ...mine, samples: [...mine.samples, ...mine.samples] }, /^f: sample "a" is there twice$/);
  refused({ ...mine, samples: [{}] }, /^f: sample 1 has no key$/);
  const times = [[], [[]], [[1]], [[1, 2], [0]], [[1, 2], ["3"]], [[1, 2], [null]], 3, [[1, 2], [3], [4]], [[1, 2], [
    -3,
  ]]];
  for (const ms of times) refused({ ...mine, samples: [{ ...mine.samples[0], ms }] }, /^f: sample "a" expects /);
});

Deno.test("samples: those of two runs have the passes of both, those of one process are a pass", () => {
  const one = (key: string, ms: number): Sampled => ({ key, ms: [[ms]], reference: [[ms + 1]] });
  assert.deepEqual(joined([one("a", 1), one("b", 2)], [one("b", 3), one("c", 4)]), [
    one("a", 1),
    { key: "b", ms: [[2], [3]], reference: [[3], [4]] },
    one("c", 4),
  ]);
  assert.deepEqual(asOnePass([{ key: "a", ms: [[1, 2], [3]], reference: [[4, 5], [6]] }]), [
    { key: "a", ms: [[1, 2, 3]], reference: [[4, 5, 6]] },
  ]);
});
