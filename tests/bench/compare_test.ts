/** Comparing samples: made-up machines whose speed drifts by a factor of two, and what of it is told. */
import assert from "node:assert/strict";
import { changeOf } from "../../bench/compare/change.ts";
import { compare, comparedLines } from "../../bench/compare/compare.ts";
import { outside } from "../../bench/compare/student.ts";
import { joined, readSamples, type Sampled, type SamplesFile } from "../../bench/samples.ts";
import { normal, type Random } from "../reference/random.ts";

const passes = 12;
const rounds = 2;
const cpu = { kernels: 100, leastRatio: 1.1 };

/**
 * A kernel of so many milliseconds on a machine whose speed drifts by a factor of two, slowly and to and fro, and which now and
 * then does something else too.
 * @param noise Of a sample and of a pass, the standard deviation of its logarithm.
 */
function measured(key: string, ms: number, random: Random, noise = { sample: 0.02, pass: 0.02 }): Sampled {
  const start = 10 * random();
  const sampled: Sampled = { key, ms: [], reference: [] };
  for (let pass = 0; pass < passes; pass++) {
    const placed = noise.pass * random();
    const own: number[] = [];
    const reference: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const slow = 2 ** ((1 + Math.sin(start + pass + round / 20)) / 2);
      const time = (ms: number) => ms * slow * Math.exp(noise.sample * random()) * (random() > 1.6 ? 2 : 1);
      own.push(time(ms * Math.exp(placed)));
      reference.push(time(4));
    }
    sampled.ms.push(own);
    sampled.reference.push(reference);
  }
  return sampled;
}

const file = (samples: Sampled[], other: Partial<SamplesFile> = {}): SamplesFile => ({
  ...{ kind: "kernels", adapter: "llvmpipe", software: true, batch: 1, reference: "1f0c", samples },
  ...other,
});

Deno.test("compare: of 2,000 kernels that drift by a factor of two and did not change, none is told", () => {
  const random = normal("unchanged");
  const told = Array.from({ length: 2000 }, (_, n) => n).filter((n) => {
    const ms = 2 ** (n % 10 - 5);
    return changeOf(measured(`${n}`, ms, random), measured(`${n}`, ms, random), cpu).changed;
  });
  assert.deepEqual(told, []);
});

Deno.test("compare: a kernel that takes 20 % longer is told, or 17 % less, on a machine that drifts", () => {
  const random = normal("changed");
  for (const ratio of [1.2, 1 / 1.2]) {
    const found = Array.from(
      { length: 200 },
      () => changeOf(measured("k", 1, random), measured("k", ratio, random), cpu),
    );
    assert.ok(found.filter(({ changed }) => changed).length >= 195, `${ratio}`);
    const middle = found.map((change) => change.ratio).sort((a, b) => a - b)[100];
    assert.ok(Math.abs(middle / ratio - 1) < 0.02, `${middle}`);
  }
});

Deno.test("compare: noise of its own hides a change, and a change of few passes needs to be clearer", () => {
  const random = normal("noisy");
  const noisy = { sample: 0.3, pass: 0.4 };
  const found = Array.from(
    { length: 100 },
    () => changeOf(measured("k", 1, random, noisy), measured("k", 1.2, random, noisy), cpu),
  );
  assert.equal(found.filter(({ changed }) => changed).length, 0);
  assert.ok(found.every(({ noise }) => noise > 0.02));
  const [before, after] = [1, 1.2].map((ms) => measured("k", ms, random));
  const first = ({ key, ms, reference }: Sampled, count: number, rounds?: number): Sampled => {
    const few = (passes: number[][]) => passes.slice(0, count).map((own) => own.slice(0, rounds));
    return { key, ms: few(ms), reference: few(reference) };
  };
  assert.equal(changeOf(before, after, cpu).changed, true);
  assert.equal(changeOf(first(before, 2), first(after, 2), cpu).changed, false);
  assert.equal(changeOf(first(before, 1, 1), first(after, 1, 1), cpu).changed, false);
});

Deno.test("compare: Student's t is that of the tables", () => {
  // Both sides, for 5 % and 0.1 %.
  for (
    const [freedom, five, thousandth] of [[1, 12.706, 636.62], [2, 4.303, 31.599], [5, 2.571, 6.869], [
      10,
      2.228,
      4.587,
    ]]
  ) {
    assert.ok(Math.abs(outside(five, freedom) - 0.05) < 1e-4, `${freedom}`);
    assert.ok(Math.abs(outside(thousandth, freedom) - 0.001) < 1e-5, `${freedom}`);
  }
  assert.deepEqual([outside(0, 3), outside(0, 4)], [1, 1]);
});

Deno.test("compare: a line for each change and each kernel of one file alone, and a last one for all", () => {
  const random = normal("lines");
  const of = (slow: string, alone: string) =>
    file([
      ...["a", "b", "c"].map((key) => measured(key, key === slow ? 1.3 : 1, random)),
      measured(alone, 1, random),
    ]);
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
  for (const other of [[], 1, null, {}, { ...mine, samples: undefined }, { ...mine, software: 1 }]) {
    refused(other, /^f: expected what a benchmark writes with --json, with its samples$/);
  }
  refused({ ...mine, batch: "1" }, /^f: "batch" expects a number/);
  refused({ ...mine, layers: { conv1: 1 } }, /^f: "layers" expects texts by name$/);
  refused({ ...mine, samples: [] }, /^f: it has no samples$/);
  refused({ ...mine, samples: [...mine.samples, ...mine.samples] }, /^f: sample "a" is there twice$/);
  refused({ ...mine, samples: [{}] }, /^f: sample 1 has no key$/);
  const times = [[], [[]], [[1]], [[1, 2], [0]], [[1, 2], ["3"]], [[1, 2], [null]], 3, [[1, 2], [3], [4]], [[1, 2], [
    -3,
  ]]];
  for (const ms of times) refused({ ...mine, samples: [{ ...mine.samples[0], ms }] }, /^f: sample "a" expects /);
});

Deno.test("samples: those of two runs have the passes of both", () => {
  const one = (key: string, ms: number): Sampled => ({ key, ms: [[ms]], reference: [[ms + 1]] });
  assert.deepEqual(joined([one("a", 1), one("b", 2)], [one("b", 3), one("c", 4)]), [
    one("a", 1),
    { key: "b", ms: [[2], [3]], reference: [[3], [4]] },
    one("c", 4),
  ]);
});
