/** Options that change nothing are told of. */
import assert from "node:assert/strict";
import { parse } from "../../src/cli/command.ts";
import { command } from "../../src/cli/synth.ts";
import { readRequest } from "../../src/cli/synth/request.ts";
import type { Device, Model, Settings } from "../../src/mod.ts";
import { idleLines } from "../../src/record/idle.ts";
import { type Request, settleRequest } from "../../src/record/request.ts";
import { moved, openedOf, saidOf } from "../../web/engine/info.ts";
import { loadTiny, tinyStatistics } from "./tiny_models.ts";

const { classifier, generator } = await loadTiny();
const bounded: Model = { ...generator, weights: new Map([...generator.weights, ...tinyStatistics]) };

/** What is said of a request of one picture for each of these settings, where the options said the first of them. */
function linesOf(
  said: Partial<Settings>,
  { others = [], seed = 0, start, bounds, models = { classifier, generator }, ...more }: Partial<Request> & {
    others?: Partial<Settings>[];
    seed?: number;
    start?: unknown;
    bounds?: Request["bounds"];
    models?: { classifier: Model; generator: Model };
  } = {},
): string[] {
  const rows = [said, ...others].map((said) => {
    const request = { rows: [{ items: [{ units: [1], seed }] }], directions: {}, set: {}, bounds, said };
    return { request, row: settleRequest(request, models).rows[0], start };
  });
  return idleLines({ ...rows[0].request, ...more }, rows, classifier);
}

Deno.test("a setting that has no effect in any row is told, and what it takes", () => {
  const cases: [said: Partial<Settings>, other: Partial<Settings>, line: string][] = [
    [{ alpha: 4 }, { alphaNorm: 0.1 }, "--alpha has no effect without --alpha-norm"],
    [{ blurEvery: 2 }, { blur: 1 }, "--blur-every has no effect without --blur"],
    [{ octaveScale: 2 }, { octaves: 2 }, "--octave-scale has no effect without --octaves"],
    [{ edges: "wrap" }, { zoom: 0.1 }, "--edges has no effect without --jitter or --zoom or --rotation"],
    [{ lrEnd: 1, iterations: 1 }, { iterations: 2 }, "--lr-end has no effect with --iterations 1"],
    [{ fit: "resize" }, { size: 10 }, "--fit has no effect where pictures have the classifier's size"],
    [{ interpolation: "bicubic" }, { size: 10 }, "--interpolation has no effect where no picture is resized"],
    [
      { interpolation: "bicubic" },
      { octaves: 2, fit: "resize" },
      "--interpolation has no effect where no picture is resized",
    ],
  ];
  for (const [said, other, line] of cases) {
    const image: Partial<Settings> = { prior: "pixels", ...said };
    assert.deepEqual(linesOf(image), [line]);
    assert.deepEqual(linesOf(image, { others: [{ ...image, ...other }] }), []);
  }
  assert.deepEqual(linesOf({ prior: "fourier" }), []); // whose defaults are nobody's
});

Deno.test("what is about bounds has no effect where there are none, or do not hold", () => {
  const none = "has no effect where the code has no bounds";
  assert.deepEqual(linesOf({ clip: "none" }), [`--clip ${none}`]);
  assert.deepEqual(linesOf({ prior: "fourier", lowest: -1 }), [`--lowest ${none}`]);
  const own = "--lowest has no effect where the code has lower bounds of its own";
  assert.deepEqual(linesOf({ prior: "pixels", lowest: -1 }), [own]);
  const models = { classifier, generator: bounded };
  assert.deepEqual(linesOf({ lowest: -1, sigmas: 2 }, { models }), []);
  const bounds = { file: "bounds.txt", bytes: new TextEncoder().encode("1 2 3 4 5 6") };
  assert.deepEqual(
    linesOf({ clip: "none", lowest: -1, sigmas: 2 }, { models, bounds }),
    ["lowest", "sigmas", "bounds"].map((name) => `--${name} has no effect with --clip none`),
  );
});

Deno.test("seeds, positions and windows that change nothing are told", () => {
  const told = (what: string) => [
    `seeds have no effect where nothing is random, with ${what} and without --jitter, --zoom or --rotation: ` +
    "every seed gives the same picture",
  ];
  const still: Partial<Settings> = { prior: "pixels", noise: 0 };
  assert.deepEqual([linesOf(still), linesOf({ ...still, jitter: 1 }, { seed: 3 })], [[], []]);
  assert.deepEqual(linesOf(still, { seed: 3 }), told("--noise 0"));
  assert.deepEqual(linesOf({}, { seed: 3, start: {} }), told("--init"));
  assert.deepEqual(linesOf({ noise: 2 }, { start: {} }), [
    "--noise has no effect with --init, which says where pictures start",
  ]);
  assert.deepEqual(linesOf({}, { xy: [0, 0] }), ["--xy has no effect where a layer has no maps"]);
  assert.deepEqual(linesOf({}, { frames: 4, windowSize: 3 }), []);
  assert.deepEqual(linesOf({}, { frames: 3, windowSize: 4 }), [
    "--window has no effect where there are no more than its 4 frames",
  ]);
});

Deno.test("a page's search says what its visitor has changed, and nothing else", () => {
  const models = { classifier, generator: bounded };
  const { settings: usual } = openedOf({ name: "any", caps: { software: true } } as Device, models);
  const said = (wishes: Partial<Settings>) => moved(saidOf(models, { ...usual, ...wishes }), undefined, models);
  assert.deepEqual([usual.sigmas, said({}), said({ sigmas: 2, alpha: 4 })], [3, {}, { sigmas: 2, alpha: 4 }]);
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
