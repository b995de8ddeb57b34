/**
 * `deno task bench [synth|kernels]`: speed on this adapter, beside the adapter's own peak, measured in the same run.
 *
 * The peak is measured before and after, and the better one counts, so that a busy machine flatters nobody.
 */
import { type Command, main, print } from "../src/cli/command.ts";
import { adapterOption, openAdapter, version } from "../src/cli/defaults.ts";
import { arithmeticKinds, arithmeticOption } from "../src/cli/memory.ts";
import { Outputs } from "../src/cli/outputs/outputs.ts";
import { chooser, tunedOption } from "../src/cli/tuned.ts";
import { oneOf, wholeNumber } from "../src/cli/values.ts";
import { UserError } from "../src/formats/user_error.ts";
import { measurePeak, type Peak, share } from "../src/gpu/probe.ts";
import { benchKernels, kernelLines } from "./kernels.ts";
import { staticCommand } from "./static/command.ts";
import { benchSynth, synthLines } from "./synth.ts";

const options = {
  adapter: adapterOption,
  batch: { value: "N", help: "synth: pictures made at once; kernels: items (1)" },
  generator: { value: "DIR", help: "synth: the image generator's model folder (the embedded one)" },
  classifier: { value: "DIR", help: "synth: the classifier's model folder (the embedded one)" },
  model: { value: "DIR", help: "kernels: the layers of this network in place of the default pair's" },
  op: { value: "NAME", help: "kernels: only the layers of this type, such as conv2d, fc or lrn" },
  arithmetic: arithmeticOption,
  tuned: { ...tunedOption, help: `synth: ${tunedOption.help}` },
  sizes: { help: "kernels: every size of every way, not only the ones predicted to be the best" },
  json: { value: "FILE", help: "also writes the figures to a JSON file" },
  force: { help: "overwrites the file" },
};

/** The command. */
export const command: Command<typeof options> = {
  name: "bench",
  summary:
    "Measures speed: a whole iteration of a search, or every layer by itself in every way. What GPUs that are not there\nwould make of it: deno task bench static --help.",
  operands: "[synth|kernels]",
  options,
  examples: [
    ["deno task bench synth --json synth.json", "time, dispatches, GFLOP/s and share of the peak of one iteration"],
    ["deno task bench synth --batch 20", "the same for twenty pictures at once"],
    [
      "deno task bench synth --generator models/deepsim-fc6 --classifier models/caffenet",
      "an iteration of the paper's networks",
    ],
    ["deno task bench kernels --model models/caffenet64 --batch 8", "every layer of one network, eight items at once"],
    ["deno task bench synth --arithmetic f16", "the same with sums in f16, where the adapter has them"],
    ["deno task bench kernels --op fc", "every way of every fully connected layer of the default pair"],
  ],
  async run(values, operands) {
    const [what = "synth", extra] = operands;
    if (!["synth", "kernels"].includes(what) || extra !== undefined) {
      throw new UserError(`bench measures "synth" or "kernels", or begins with "static"; got "${operands.join(" ")}"`);
    }
    const batch = wholeNumber("--batch", values.batch, { least: 1, most: MOST_BATCH, fallback: 1 });
    if (what === "synth" && (values.op ?? values.model ?? (values.sizes || undefined)) !== undefined) {
      throw new UserError("--op, --sizes and --model go with kernels");
    }
    const arithmetic = oneOf("--arithmetic", values.arithmetic, arithmeticKinds);
    if (what === "kernels" && (values.tuned ?? values.generator ?? values.classifier) !== undefined) {
      throw new UserError("--generator, --classifier and --tuned go with synth");
    }
    using outputs = Outputs.open(values.json ? [values.json] : [], { force: values.force, bytes: 1 << 16 });
    using device = await openAdapter(values.adapter);
    const before = await measurePeak(device);
    const measured = what === "synth"
      ? await benchSynth(device, values, batch, { arithmetic, choose: chooser(device, values.tuned) })
      : await benchKernels(device, values.model, { batch, op: values.op, sizes: values.sizes, arithmetic });
    const peak = better(before, await measurePeak(device));
    const report = {
      version,
      adapter: device.name,
      software: device.caps.software,
      date: today(),
      arithmetic,
      peak,
      ...measured,
    };
    print(`${device.name}: peak ${peak.gflops.toFixed(1)} GFLOP/s, ${peak.gigabytes.toFixed(1)} GB/s`);
    const lines = "synth" in measured ? synthLines(measured.synth, peak) : kernelLines(measured.kernels, peak);
    lines.forEach(print);
    if (values.json) {
      const shares = "synth" in measured ? share(measured.synth.executedGflops, peak.gflops) : {};
      const text = JSON.stringify({ ...report, ...shares }, null, 2) + "\n";
      outputs.save([[values.json, new TextEncoder().encode(text)]]);
      outputs.finish();
    }
  },
};

/** Pictures or items at once, more than any memory holds. */
const MOST_BATCH = 100_000;

const better = (a: Peak, b: Peak): Peak => ({
  gflops: Math.max(a.gflops, b.gflops),
  gigabytes: Math.max(a.gigabytes, b.gigabytes),
});

const today = (): string => new Date().toISOString().slice(0, 10);

/** What has options of its own. */
export const commands = { static: staticCommand };

if (import.meta.main) {
  const [what, ...rest] = Deno.args;
  await (what === "static" ? main(commands.static, rest) : main(command));
}
