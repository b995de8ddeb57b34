/**
 * The doctor: the worker that looks at the visitor's GPU as `deno task doctor` and `deno task bench profile` do. It has a device of
 * its own, and is loaded only when somebody asks for it.
 */
import { reportOf, sampleDispatches } from "../../bench/profile/report.ts";
import { profile } from "../../bench/profile/measure.ts";
import { rooflineSvg } from "../../bench/profile/roofline.ts";
import { type Device, fetchModel, measurePeak, openDevice } from "../../src/mod.ts";
import { openSearch } from "../../bench/synth/search.ts";
import { allCases } from "../../tests/cases/all.ts";
import { checkCase } from "../../tests/ops/check_case.ts";
import { sentenceOf } from "../engine/messages.ts";
import version from "../engine/version.ts";
import type { Findings, Word } from "./messages.ts";

const say = (word: Word) => (self as unknown as { postMessage(word: Word): void }).postMessage(word);

/** Passes of the samples, each on new memory. */
const PASSES = 6;

async function examine(): Promise<Findings> {
  const device = await openDevice();
  const { name: adapter, caps: { software } } = device;
  try {
    const wrong = await checkKernels(device);
    say({ kind: "at", what: "measures the peak", done: 0, total: 0 });
    const peak = await measurePeak(device);
    const models = ["models/deepsim64", "models/caffenet64"];
    const [generator, classifier] = await Promise.all(
      models.map((path) => fetchModel(new URL(path, self.location.href))),
    );
    const open = () => openSearch(device, { generator, classifier }, 1);
    const running = await open();
    const figures = await profile(device, running, undefined, (done, total) => {
      say({ kind: "at", what: "times every dispatch", done, total });
    }).finally(() => running[Symbol.dispose]());
    const samples = await sampleDispatches(device, open, PASSES, (done, total) => {
      say({ kind: "at", what: "times them beside a reference kernel", done, total });
    });
    const told = reportOf(figures, peak);
    const report = {
      ...{ version, adapter, software, date: new Date().toISOString().slice(0, 10), peak, batch: 1, ...told },
      ...{ kernels: { checked: allCases.length, wrong }, ...samples },
    };
    return {
      ...{ adapter, software, peak, wrong, checked: allCases.length, milliseconds: figures.wallMs },
      rows: told.profile.kernels.map(({ kernel, way = "", ms, executedFlops, bytes, bound }) => ({
        ...{ kernel, way, ms, gflops: executedFlops / ms / 1e6, gigabytes: bytes / ms / 1e6 },
        bound: bound.by,
        share: bound.ms / ms,
      })),
      roofline: rooflineSvg(figures, peak, adapter),
      json: JSON.stringify(report, null, 2) + "\n",
    };
  } finally {
    device[Symbol.dispose]();
  }
}

/** Every case of the tests' tables on this adapter, against float64. */
async function checkKernels(device: Device): Promise<Findings["wrong"]> {
  const wrong: Findings["wrong"] = [];
  for (const [done, testCase] of allCases.entries()) {
    const name = `${testCase.type}: ${testCase.name}`;
    say({ kind: "at", what: `compares ${name} with float64`, done, total: allCases.length });
    try {
      await checkCase(device, testCase);
    } catch (error) {
      wrong.push({ case: name, error: (error as Error).message.split("\n")[0] });
    }
  }
  return wrong;
}

examine().then(
  (findings) => say({ kind: "found", findings }),
  (error) => say({ kind: "failed", sentence: sentenceOf(error) }),
);
