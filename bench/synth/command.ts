/** `deno task bench synth`: an iteration of the search. */
import { type Command, print } from "../../src/cli/command.ts";
import { adapterOption, openAdapter } from "../../src/cli/defaults.ts";
import { arithmeticKinds, arithmeticOption } from "../../src/cli/memory.ts";
import { chooser, tunedOption } from "../../src/cli/tuned.ts";
import { oneOf, wholeNumber } from "../../src/cli/values.ts";
import { share } from "../../src/gpu/probe.ts";
import { besidePeak, checkJson, jsonOptions, MOST_BATCH, peakLine, writeJson } from "../report.ts";
import { benchSynth, synthLines } from "./measure.ts";

const options = {
  adapter: adapterOption,
  batch: { value: "N", help: "pictures made at once (1)" },
  generator: { value: "DIR", help: "the image generator's model folder (the embedded one)" },
  classifier: { value: "DIR", help: "the classifier's model folder (the embedded one)" },
  arithmetic: arithmeticOption,
  tuned: tunedOption,
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
    ["deno task bench synth --arithmetic f16", "the same with sums in f16, where the adapter has them"],
  ],
  async run(values) {
    const batch = wholeNumber("--batch", values.batch, { least: 1, most: MOST_BATCH, fallback: 1 });
    const arithmetic = oneOf("--arithmetic", values.arithmetic, arithmeticKinds);
    checkJson(values);
    using device = await openAdapter(values.adapter);
    const choose = chooser(device, values.tuned);
    const { figures: { synth, sample }, peak, header } = await besidePeak(
      device,
      () => benchSynth(device, values, batch, { arithmetic, choose }),
    );
    print(peakLine(device, peak));
    synthLines(synth, peak).forEach(print);
    if (!values.json) return;
    const figures = { synth, ...share(synth.executedGflops, peak.gflops) };
    writeJson(values, { ...header, kind: "synth", batch, arithmetic, ...figures, ...await sample() });
  },
};
