/** `deno task bench kernels`: every layer by itself. */
import { type Command, print, tell } from "../../src/cli/command.ts";
import { adapterOption, openAdapter } from "../../src/cli/defaults.ts";
import { abortOnSignal, stopCode } from "../../src/cli/interrupt.ts";
import { arithmeticOption } from "../../src/cli/memory.ts";
import { progress, stderrScreen } from "../../src/cli/progress.ts";
import { ownOptions, readOwn } from "../../src/cli/own_kernels.ts";
import { chooser } from "../../src/cli/tuned.ts";
import { oneOf, wholeNumber } from "../../src/cli/values.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { verdictLine } from "../../src/lab/judge.ts";
import { readSamplesFile } from "../compare/file.ts";
import { checkDumpFolder, dumpOption, writeDump } from "../dump.ts";
import { networkOption } from "../networks/open.ts";
import type { KernelsValues } from "../passes/child.ts";
import { passesOf, passesOption, samplePasses } from "../passes/passes.ts";
import { besidePeak, jsonOptions, MOST_BATCH, openFiles, peakLine, saveFiles } from "../report.ts";
import { checkConditions, checkLayers, joined, type SamplesFile } from "../samples.ts";
import { benchKernels } from "./measure.ts";
import { inPlans, tryWays } from "./laboratory.ts";
import { checkTogether, layerTexts, type Measured, subjectsFor } from "./subjects.ts";
import { kernelLines } from "./table.ts";
import { arithmetics } from "../../src/mod.ts";

/** Passes over all layers for the table, each on new memory. */
const TABLE_PASSES = 3;

const options = {
  adapter: adapterOption,
  batch: { value: "N", help: "items at once (1)" },
  model: { value: "DIR", help: "the layers of this network in place of the default pair's" },
  network: { ...networkOption, help: `the layers of ${networkOption.help}` },
  op: { value: "NAME", help: "only the layers of this type, such as conv2d, fc or lrn" },
  layer: { value: "TEXT", help: "only the layers whose name has this text" },
  shape: {
    value: "CxHxW",
    repeats: true,
    help: "with --op: one layer of that type, whose input has this shape; again for each further input",
  },
  params: {
    value: "NAME=VALUE,…",
    help: "with --shape: its parameters as in network.json, such as channels=128,kernel=3x1,stride=2",
  },
  case: {
    value: "TEXT",
    help: 'the tests\' cases whose name has this text, such as "fc: batch 3", each with its batch',
  },
  arithmetic: arithmeticOption,
  sizes: { help: "every size of every way, not only the ones predicted to be the best" },
  passes: { ...passesOption, help: `${passesOption.help}; of the table at most ${TABLE_PASSES}` },
  rounds: { value: "N", help: "turns that each kernel has on each new memory (2)" },
  dump: dumpOption,
  replace: { ...ownOptions.replace, help: "times this WGSL beside a kernel, once it is right: see docs/kernels.md" },
  ways: ownOptions.ways,
  add: {
    help:
      "with --json: adds the samples to those that the file has, of an earlier run of the same build (see bench compare)",
  },
  ...jsonOptions,
} as const;

/** Rounds, more than anyone waits for. */
const MOST_ROUNDS = 1000;

/** The command. */
export const kernelsCommand: Command<typeof options> = {
  name: "bench kernels",
  summary: "Measures every layer by itself, its output and its gradient, in every way to compute them.\n" +
    "All kernels take turns with a reference kernel; --json keeps all samples, for `bench compare`. Ctrl-C ends it and keeps\n" +
    "what there is.",
  options,
  examples: [
    ["deno task bench kernels --model models/caffenet64 --batch 8", "every layer of one network, eight items at once"],
    ["deno task bench kernels --op fc", "every way of every fully connected layer of the default pair"],
    ["deno task bench kernels --network googlenet --layer inception_3a", "layers of a known network"],
    [
      "deno task bench kernels --op conv2d --shape 64x56x56 --params channels=128,kernel=3,stride=2,padding=1",
      "a layer of any shape",
    ],
    ["deno task bench kernels --case lstm", "the shapes that the tests have for a type"],
    ["deno task bench kernels --dump kernels", "also each kernel's WGSL, as a search runs it"],
    ["deno task bench kernels --replace conv3=mine.wgsl", "a kernel of your own beside ours: see docs/kernels.md"],
    ["deno task bench kernels --json before.json", "keeps all samples, for `bench compare`"],
    ["deno task bench kernels --json before.json --add", "adds those of another run of the same build"],
  ],
  async run(values) {
    const batch = wholeNumber("--batch", values.batch, { least: 1, most: MOST_BATCH, fallback: 1 });
    const passes = passesOf(values, TABLE_PASSES);
    const rounds = wholeNumber("--rounds", values.rounds, { least: 1, most: MOST_ROUNDS, fallback: 2 });
    const arithmetic = oneOf("--arithmetic", values.arithmetic, arithmetics);
    const { sizes } = values;
    checkTogether(values, values.batch);
    const earlier = values.add ? await readEarlier(values.json) : undefined;
    using outputs = openFiles({ json: values.json, force: values.force || values.add });
    const { dump, force } = values;
    if (dump) checkDumpFolder(dump, force);
    const own = await readOwn(values);
    const wanted = { ...values, batch };
    let layers = await subjectsFor(wanted);
    using device = await openAdapter(values.adapter);
    const lines = await tryWays(device, layers, arithmetic);
    if (dump || own.kernels.length > 0) {
      const how = { arithmetic, choose: chooser(device, undefined) };
      const { texts, verdicts, replaced } = await inPlans(device, wanted, layers, own, how);
      if (dump) writeDump(texts, dump, force);
      lines.push(...verdicts.filter(({ ms }) => ms !== undefined).map(verdictLine));
      // Who brings a kernel wants to see it beside ours, and no others unless they are named.
      const isReplaced = ({ layer, same }: Measured) => [layer.name, ...same].some((name) => replaced.has(name));
      if (replaced.size > 0 && values.op === undefined && values.layer === undefined) {
        layers = layers.filter(isReplaced);
      }
    }
    const { name: adapter, caps: { software } } = device;
    const conditions = {
      kind: "kernels",
      adapter,
      software,
      arithmetic,
      batch: values.case === undefined ? batch : undefined,
      layers: layerTexts(layers),
    };
    if (earlier) {
      checkConditions(earlier, { ...conditions, reference: earlier.reference, samples: [] });
      checkLayers(earlier, conditions.layers, values.json!);
    }
    const signal = abortOnSignal();
    const line = progress("layer", stderrScreen(false));
    const onProgress = (done: number, total: number, note: string) => line.show({ done, total, note });
    const { figures, peak, header } = await besidePeak(
      device,
      () =>
        benchKernels(device, layers, {
          ...{ sizes, arithmetic, passes: Math.min(passes, TABLE_PASSES), rounds, signal, onProgress },
        }),
    );
    line.end();
    const { kernels, reference } = figures;
    print(peakLine(device, peak));
    kernelLines(kernels, peak).forEach(print);
    lines.forEach(print);
    if (values.json === undefined) return stopCode();
    const subject: KernelsValues = {
      ...{ ...wanted, sizes, arithmetic, rounds },
      layers: layers.map(({ layer }) => layer.name),
    };
    const sampled = await samplePasses({ benchmark: "kernels", values: subject }, passes, signal);
    if (!sampled) {
      tell(`stopped before a pass was measured to its end; nothing is written to ${values.json}`);
      return stopCode();
    }
    const file: SamplesFile = { ...conditions, reference, samples: sampled.samples };
    if (earlier) {
      checkConditions(earlier, file);
      file.samples = joined(earlier.samples, file.samples);
    }
    saveFiles(outputs, values, { ...header, ...file, kernels });
    return stopCode();
  },
};

/** The file that samples are added to. @throws UserError where there is none. */
async function readEarlier(json: string | undefined): Promise<SamplesFile> {
  if (json === undefined) throw new UserError("--add needs the file that it adds to: --json FILE");
  return await readSamplesFile(json);
}
