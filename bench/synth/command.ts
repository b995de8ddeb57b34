/** `deno task bench synth`: an iteration of the search. */
import { type Command, print } from "../../src/cli/command.ts";
import { adapterOption, openAdapter } from "../../src/cli/defaults.ts";
import { arithmeticOption } from "../../src/cli/memory.ts";
import { progress, stderrScreen } from "../../src/cli/progress.ts";
import { ownOptions, ownPlanning, readOwn } from "../../src/cli/own_kernels.ts";
import { chooser, tunedOption } from "../../src/cli/tuned.ts";
import { oneOf, wholeNumber } from "../../src/cli/values.ts";
import type { Device } from "../../src/gpu/device.ts";
import { share } from "../../src/gpu/probe.ts";
import { comparePeers, type Comparison, peerLines, steps } from "../peers/compare.ts";
import { type Verdict, verdictLine } from "../../src/lab/judge.ts";
import type { How } from "../running.ts";
import { passesOf, passesOption, samplePasses } from "../passes/passes.ts";
import { besidePeak, jsonOptions, MOST_BATCH, openFiles, peakLine, saveFiles } from "../report.ts";
import { benchSynth, synthLines } from "./measure.ts";
import { type Folders, openSubject } from "./subject.ts";
import { arithmetics } from "../../src/mod.ts";

const options = {
  adapter: adapterOption,
  batch: { value: "N", help: "pictures made at once (1)" },
  generator: { value: "DIR", help: "the image generator's model folder (the embedded one)" },
  classifier: { value: "DIR", help: "the classifier's model folder (the embedded one)" },
  arithmetic: arithmeticOption,
  tuned: tunedOption,
  peers: { help: "also runs the search in TensorFlow.js and jax-js, which it fetches from npm, in turns with ours" },
  ...ownOptions,
  passes: passesOption,
  ...jsonOptions,
};

/** The command. */
export const synthCommand: Command<typeof options> = {
  name: "bench synth",
  summary: "Measures a whole iteration of a search: time, dispatches, GFLOP/s and their share of the adapter's peak.",
  options,
  examples: [
    ["deno task bench synth --json synth.json", "the embedded pair, one picture"],
    ["deno task bench synth --batch 20", "the same for twenty pictures at once"],
    [
      "deno task bench synth --generator models/deepsim-fc6 --classifier models/caffenet",
      "an iteration of the paper's networks",
    ],
    ["deno task bench synth --peers", "beside the same iteration in TensorFlow.js and jax-js"],
    ["deno task bench synth --arithmetic f16", "the same with sums in f16, where the adapter has them"],
    ["deno task bench synth --replace conv3=mine.wgsl", "with a kernel of your own: see docs/kernels.md"],
  ],
  async run(values) {
    const batch = wholeNumber("--batch", values.batch, { least: 1, most: MOST_BATCH, fallback: 1 });
    const arithmetic = oneOf("--arithmetic", values.arithmetic, arithmetics);
    const passes = passesOf(values);
    using outputs = openFiles(values);
    const own = await readOwn(values);
    const verdicts: Verdict[] = [];
    using device = await openAdapter(values.adapter);
    const choose = chooser(device, values.tuned);
    const planning = ownPlanning(device, own, (_, verdict) => verdicts.push(verdict));
    const { figures: synth, peak, header } = await besidePeak(
      device,
      () => benchSynth(device, () => openSubject(values, batch), { arithmetic, choose, ...planning }),
    );
    print(peakLine(device, peak));
    synthLines(synth, peak).forEach(print);
    verdicts.map(verdictLine).forEach(print);
    // What is compiled again is not judged again.
    const again = { arithmetic, choose, ...planning, onReady: undefined };
    const peers = values.peers ? await besidePeers(device, values, batch, again) : undefined;
    if (peers) peerLines(peers).forEach(print);
    if (!values.json) return;
    const figures = {
      synth,
      own: verdicts.length > 0 ? verdicts : undefined,
      ...share(synth.executedGflops, peak.gflops),
      peers,
    };
    const samples = values.json ? await samplePasses({ benchmark: "synth", values }, passes) : undefined;
    saveFiles(outputs, values, { ...header, kind: "synth", batch, arithmetic, ...figures, ...samples });
  },
};

/** The comparison with other libraries, which tells what it is doing. */
async function besidePeers(
  device: Device,
  folders: Folders,
  batch: number,
  how: How,
): Promise<Comparison> {
  const line = progress("step", stderrScreen(false));
  let done = 0;
  try {
    return await comparePeers(device, {
      folders,
      subject: await openSubject(folders, batch),
      how,
      fetches: Deno.env.get("PHOSPHENE_SETUP") !== "skip",
      note: (note) => line.show({ done: done++, total: steps, note }),
    });
  } finally {
    line.end();
  }
}
