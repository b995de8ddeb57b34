/** `deno task tune`: times the ways to compute each layer on this adapter and keeps the fastest. */
import { figure } from "../formats/figure.ts";
import { UserError } from "../formats/user_error.ts";
import {
  arithmetics,
  formats,
  mergeWays,
  type Tunable,
  tune,
  type TunedLayer,
  type TunedWays,
  type TuneReport,
  writeWays,
} from "../mod.ts";
import { type Command, main, print, printJson, tell, type Values, warn } from "./command.ts";
import { adapterOption, openAdapter, openClassifier, openGenerator, openModel } from "./defaults.ts";
import { abortOnSignal, stopCode } from "./interrupt.ts";
import { arithmeticOption, weightsOption } from "./memory.ts";
import { Outputs } from "./outputs/outputs.ts";
import { writeFiles } from "./outputs/place.ts";
import { progress, stderrScreen } from "./progress.ts";
import { checkTunedFile, keptOption, readTunedFile, tunedFile } from "./tuned.ts";
import { oneOf, wholeNumber } from "./values.ts";

const options = {
  generator: { value: "DIR", help: "the image generator's model folder (the embedded one)" },
  classifier: { value: "DIR", help: "the classifier's model folder (the embedded one)" },
  model: { value: "DIR", help: "tunes this network by itself, as classify, ranges and infer --fast run it" },
  layer: { value: "NAME", help: "the layer or blob that is searched or comes out (the last)" },
  gradient: { help: "with --model: also the gradient, as infer --gradient runs it" },
  "double-float": { help: "with --model: in double-float arithmetic, as infer runs it without --fast" },
  batch: { value: "N", help: "pictures or items together: each number of them has ways of its own (1)" },
  weights: weightsOption,
  arithmetic: arithmeticOption,
  adapter: adapterOption,
  tuned: keptOption,
  force: { help: "times again what has been timed before" },
  json: { help: "prints one JSON document" },
  quiet: { help: "shows no progress" },
} as const;

/** Pictures or items at once, more than any memory holds. */
const mostBatch = 100_000;

/** Bytes of the file are about so many. */
const fileBytes = 1 << 16;

/** The command. */
export const command: Command<typeof options> = {
  name: "tune",
  summary:
    "Times the ways to compute each layer of the search's networks, or of one network, on this adapter, and keeps the\n" +
    "fastest: synth and bench synth take them from then on, for the same number of pictures, weights and arithmetic; of\n" +
    "--model also classify, ranges and infer, whose number is --batch. What computes something else is told and never kept.\n" +
    "Ctrl-C keeps what is done; the next run goes on there.",
  options,
  examples: [
    ["deno task tune", "the embedded pair, as synth runs it for one picture"],
    ["deno task tune --batch 20 --weights f16", "for twenty pictures at once, with weights in 16 bits"],
    ["deno task tune --generator models/deepsim-fc6 --classifier models/caffenet", "the paper's networks"],
    ["deno task tune --arithmetic f16", "for synth --arithmetic f16"],
    ["deno task tune --model models/caffenet --gradient --double-float", "as infer runs it"],
  ],
  async run(values) {
    const file = tunedFile(values.tuned);
    if (file === undefined) throw new UserError("there is no place for the ways; --tuned FILE names one");
    const batch = wholeNumber("--batch", values.batch, { least: 1, most: mostBatch, fallback: 1 });
    const weights = oneOf("--weights", values.weights, formats);
    const arithmetic = oneOf("--arithmetic", values.arithmetic, arithmetics);
    const what = await tunable(values);
    using _ = Outputs.open([file], { force: true, bytes: fileBytes, shared: true });
    if (values.tuned ?? Deno.env.get("PHOSPHENE_TUNED")) checkTunedFile(file);

    const signal = abortOnSignal();
    const ways = readTunedFile(file);
    using device = await openAdapter(values.adapter);
    const bar = progress("layer", stderrScreen(values.quiet));
    const report = await tune(device, what, ways, {
      batch,
      weights,
      arithmetic,
      again: values.force,
      signal,
      onProgress({ done, total, layer }) {
        if (done > 0) save(file, ways); // whatever ends the program, what is done is kept
        bar.show({ done, total, note: layer });
      },
    }).finally(() => {
      bar.end();
      save(file, ways);
    });
    for (const { layer, way, reason } of report.failed) warn(`${layer}: ${way} is left out: ${reason}`);
    const timed = report.layers.length;
    const kept = timed > 0 || report.known > 0;
    if (values.json) {
      printJson({ adapter: device.name, batch, weights, arithmetic, file: kept ? file : undefined, ...report });
    } else if (kept) reportLines(report).concat(file).forEach(print);
    if (report.aborted) {
      tell(timed ? `stopped after ${shapes(timed)}; their ways are kept` : "stopped before anything was timed");
    }
    return stopCode();
  },
};

/** The networks that the options name. @throws UserError where options do not go together. */
async function tunable(values: Values<typeof options>): Promise<Tunable> {
  const { model, generator, classifier, layer, gradient, "double-float": doubleFloat } = values;
  if (model !== undefined) {
    if (generator ?? classifier) throw new UserError("--model is one network; --generator and --classifier are two");
    return { model: await openModel(model), layer, gradient, doubleFloat };
  }
  if (gradient || doubleFloat) throw new UserError("--gradient and --double-float go with --model");
  return { generator: await openGenerator(generator), classifier: await openClassifier(classifier), layer };
}

/** Adds the ways to what the file holds by now. */
function save(file: string, ways: TunedWays): void {
  const all = readTunedFile(file);
  mergeWays(all, ways);
  if (all.size > 0) writeFiles(new Map([[file, new TextEncoder().encode(writeWays(all))]]), { force: true });
}

/** Layers of one shape are timed once. */
const shapes = (count: number): string => `${count} ${count === 1 ? "shape" : "shapes"}`;

/** What was found, in lines. */
function reportLines({ layers, known, whole, reverted }: TuneReport): string[] {
  const changed = layers.filter((layer) => layer.changed).length;
  const lines = layers.map(layerLine);
  if (known > 0) lines.push(`${shapes(known)} timed before; --force times again`);
  if (layers.length > 0) lines.push(`other ways than predicted are faster for ${changed} of ${shapes(layers.length)}`);
  if (whole) {
    const [ms, predicted] = [whole.ms, whole.predictedMs].map((time) => figure(time));
    lines.push(`a whole run: ${ms} ms, by the predicted ways ${predicted} ms`);
  }
  if (reverted) lines.push("all together they are not faster, so the predicted ways stay");
  return lines;
}

function layerLine({ layers, forward, backward, changed, ms, predictedMs }: TunedLayer): string {
  const time = changed ? `${figure(ms, 3)} ms, as predicted ${figure(predictedMs, 3)} ms` : `${figure(ms, 3)} ms`;
  return `${changed ? "*" : " "} ${layers.join(", ")}: ${time}: ${forward}${backward ? `; gradient: ${backward}` : ""}`;
}

if (import.meta.main) await main(command);
