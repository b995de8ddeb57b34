/** Options that change nothing are told of. */
import assert from "node:assert/strict";
import { parse } from "../../src/cli/command.ts";
import { idleLines } from "../../src/cli/idle.ts";
import { command } from "../../src/cli/synth.ts";
import { readRequest } from "../../src/cli/synth/request.ts";
import { defaultsOf, type Settings } from "../../src/mod.ts";

/** Rows of one picture a seed with these settings. */
const rowsOf = (...all: Partial<Settings>[]) =>
  all.map((said) => ({
    settings: { ...defaultsOf(said), ...said },
    items: [0, 1].map((seed) => ({ units: [1], seed, target: "fc3:1" })),
  }));

Deno.test("a setting that has no effect in any row is told, and what it takes", () => {
  const cases: [said: Partial<Settings>, other: Partial<Settings>, line: string][] = [
    [{ alpha: 4 }, { alphaNorm: 0.1 }, "--alpha has no effect without --alpha-norm"],
    [{ blurEvery: 2 }, { blur: 1 }, "--blur-every has no effect without --blur"],
    [{ octaveScale: 2 }, { octaves: 2 }, "--octave-scale has no effect without --octaves"],
    [{ edges: "wrap" }, { zoom: 0.1 }, "--edges has no effect without --jitter or --zoom or --rotation"],
    [{ lowest: -1, clip: "none" }, { clip: "bounds" }, "--lowest has no effect with --clip none"],
  ];
  for (const [said, other, line] of cases) {
    const image: Partial<Settings> = { prior: "pixels", ...said };
    assert.deepEqual(idleLines(said, rowsOf(image)), [line]);
    assert.deepEqual(idleLines(said, rowsOf(image, { ...image, ...other })), []);
    assert.deepEqual(idleLines({}, rowsOf(image)), []); // a default or a method's
  }
});

Deno.test("seeds that change nothing are told", () => {
  const told = /^seeds have no effect where nothing is random/;
  assert.match(idleLines({}, rowsOf({ prior: "pixels", noise: 0 })).join(), told);
  assert.deepEqual(idleLines({}, rowsOf({ prior: "pixels", noise: 0, jitter: 1 }, { prior: "fourier" })), []);
});

Deno.test("--method all leaves out what cannot have the size; a method that is named is not left out", async () => {
  const methodsOf = async (...words: string[]) => {
    const { values } = parse(command, ["--unit", "1", ...words]);
    return (await readRequest(values)).rows.map(({ method }) => method);
  };
  const all = await methodsOf("--method", "all");
  assert.deepEqual(await methodsOf("--method", "all", "--size", "96"), all.filter((name) => name !== "dgn-am"));
  assert.deepEqual(await methodsOf("--method", "all", "--size", "96", "--prior", "pixels"), all);
  assert.deepEqual(await methodsOf("--method", "dgn-am,fft", "--size", "96"), ["dgn-am", "fft"]);
});
