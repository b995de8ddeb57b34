/** `deno task sweep`: pictures over settings, units and seeds, and one report of them all. */
import { basename, join, resolve } from "node:path";
import { UserError } from "../formats/user_error.ts";
import { labelOf, lastSeed, layerUnits, type Model, optionOf, quoted, settingNames, settings } from "../mod.ts";
import { type Command, main, print, tell, type Values, warn } from "./command.ts";
import { adapterOption, generatorWhere, openClassifier } from "./defaults.ts";
import { abortOnSignal, stopCode } from "./interrupt.ts";
import { Outputs } from "./outputs/outputs.ts";
import { writeFiles } from "./outputs/place.ts";
import { idleLines } from "../record/idle.ts";
import { makePieces } from "./sweep/pieces.ts";
import { type Plan, planOf, shareOf, shortHash } from "./sweep/plan.ts";
import { Queue } from "./sweep/queue/queue.ts";
import { report } from "./sweep/report.ts";
import { readResults, reportName, Results } from "./sweep/results.ts";
import { combinations, readSpread, spreadHelp } from "./sweep/spread.ts";
import { ownPieces } from "./sweep/source.ts";
import type { Bench } from "./sweep/work.ts";
import { making, settingHelp, type SettingOption, synthOptions, type SynthValues } from "./synth/options.ts";
import { type Models, type Request, wantsGenerator } from "../record/request.ts";
import { readRequest } from "./synth/request.ts";
import { tunedOption } from "./tuned.ts";
import { wholeNumber } from "./values.ts";

/** Pictures that are made together unless a sweep says otherwise, and the most that may be. */
const usualTogether = 20;
const mostTogether = 256;

/** Times that ranges are drawn from. */
const mostDraws = 10_000;

const { unit, units, target, layer, method, seed, seeds, bounds, weights, arithmetic } = making;

/** The settings that a sweep spreads; γ goes with several units in one picture. */
const spreadNames = settingNames.filter((name) => name !== "gamma");

/** An option for each, which takes many values where synth's takes one. */
const spreadOptions = Object.fromEntries(spreadNames.map((name) => {
  const { kind } = settings[name];
  const value = kind === "word" ? "NAMES" : kind === "whole" ? "N,N|N:N[:log]" : "X,X|X:X[:log]";
  return [optionOf(name), { value, help: settingHelp(name) }];
})) as Record<Exclude<SettingOption, "gamma">, { value: string; help: string }>;

const options = {
  ...{ unit, units, target, layer, method, seed, seeds, bounds, weights, arithmetic },
  ...spreadOptions,
  draws: { value: "N", help: "how often ranges are drawn from, all of them at once" },
  "draw-seed": { value: "N", help: "the random numbers of the draws (0)" },
  batch: { value: "N", help: `pictures that are made together (${usualTogether}); it is part of the plan` },
  judge: {
    value: "DIR",
    help: "a second classifier's model folder, which the search never sees, to judge the pictures",
  },
  shard: {
    value: "K/N",
    help: "makes only the K-th of N shares of as many pieces each: one a machine, into one folder or several",
  },
  queue: {
    value: "redis://HOST",
    help:
      "shares the sweep with all that are given the same queue (Redis; its password may be in PHOSPHENE_QUEUE_PASSWORD), who may come and go",
  },
  out: {
    value: "DIR",
    help: "the folder for pictures, results and report.html; what is there already is not made again (out/sweep)",
  },
  generator: { value: "DIR", help: "the image generator's model folder (the embedded one)" },
  classifier: { value: "DIR", alias: "model", help: "the classifier's model folder (the embedded one)" },
  adapter: adapterOption,
  tuned: tunedOption,
  quiet: { help: "shows no progress" },
} as const;

/** The command. */
export const command: Command<typeof options> = {
  name: "sweep",
  summary:
    `Makes pictures over settings, units and seeds, and a report of them all. Each setting takes ${spreadHelp}: lists make a\n` +
    "grid, and what is drawn from ranges is the same everywhere on it. The same command goes on where it was stopped.",
  options,
  examples: [
    ["deno task sweep --units 945,281 --decay 0.98,0.99,1", "six pictures, in out/sweep/report.html"],
    [
      "deno task sweep --unit 945 --lr-start 1:16:log --iterations 50:300 --draws 20",
      "twenty settings drawn at random",
    ],
    ["deno task sweep --units 0-199 --judge models/squeezenet", "many units, judged by another network"],
    ["deno task sweep --units 0-199 --shard 2/4", "the second of four machines' shares of the first two hundred units"],
    [
      "deno task sweep --units 0-199 --queue redis://queue.example:6379",
      "a worker at a queue, with as many others as there are",
    ],
    ["deno task sweep report out/a out/b --out both.html", "one report of what several machines have made"],
  ],
  lacks: (name) => Object.hasOwn(synthOptions, name) ? "is of synth; a sweep takes none" : undefined,
  run,
};

const reportOptions = {
  out: { value: "FILE.html", help: "the report" },
  force: { help: "overwrites a report that exists" },
};

/** The command that makes a report of what there is. */
export const reportCommand: Command<typeof reportOptions> = {
  name: "sweep report",
  summary: "Makes the report of a sweep from one or several folders of its results.",
  operands: "DIR...",
  options: reportOptions,
  examples: [["deno task sweep report out/a out/b --out both.html", "of what several machines have made"]],
  async run({ out, force }, folders) {
    if (folders.length === 0) throw new UserError("expected folders with results of a sweep; --help has an example");
    if (out === undefined) throw new UserError("--out is missing: which file shall the report be?");
    using outputs = Outputs.open([out], { force, bytes: 2 ** 20 });
    const read = readResults(folders);
    if (read.lines.length === 0) throw new UserError(`${folders.join(", ")}: no results of a sweep`);
    const { html, missing } = await report(read, folders.map((folder) => basename(resolve(folder))).join(", "));
    outputs.save([[out, new TextEncoder().encode(html)]]);
    print(`${outputs.where(out)}  ${read.lines.length - missing} of ${read.pictures} pictures`);
    outputs.finish();
    if (missing > 0) return 1;
  },
};

/** Everything that can be refused is refused before the GPU starts. */
async function run(values: Values<typeof options>): Promise<number | void> {
  const folder = values.out ?? join("out", "sweep");
  const { draws, batch } = values;
  const single = (["weights", "arithmetic"] as const).find((name) => values[name]?.includes(","));
  if (single) throw new UserError(`--${single} is one for a whole sweep, got "${values[single]}"`);
  const together = wholeNumber("--batch", batch, { least: 1, most: mostTogether, fallback: usualTogether });
  if (values["draw-seed"] !== undefined && draws === undefined) {
    throw new UserError("--draw-seed says how ranges are drawn from; --draws 20 draws from them");
  }
  const spreads = spreadNames.flatMap((name) => {
    const text = values[optionOf(name) as keyof typeof spreadOptions];
    return text === undefined ? [] : [readSpread(name, text)];
  });
  const all = combinations(
    spreads,
    draws === undefined ? undefined : wholeNumber("--draws", draws, { least: 1, most: mostDraws, fallback: 1 }),
    wholeNumber("--draw-seed", values["draw-seed"], { most: lastSeed, fallback: 0 }),
  );
  const base = await readRequest(requestValues(values), all);
  const classifier = await openClassifier(values.classifier);
  const learned = all.some((said) => wantsGenerator({ ...base, said }, classifier));
  const models: Models = { classifier, generator: await generatorWhere(learned, values.generator) };
  const judge = values.judge === undefined ? undefined : await openJudge(values.judge, classifier, base);
  const plan = await planOf(base, all, { models, judge: judge?.model, together, typed: typed(values) });
  idleLines(plan.pieces[0].request, plan.pieces, classifier).forEach(warn);
  const share = shareOf(plan.pieces, values);
  const signal = abortOnSignal();
  await using queue = values.queue === undefined ? undefined : await Queue.join(values.queue, plan, signal);
  using results = new Results(folder, share.name, plan);
  const there = await results.made();
  const missing = share.pieces.filter(({ first, row }) => row.items.some((_, place) => !there.has(first + place)));
  results.checkPictures(missing.flatMap(({ first, row }) => row.items.map((_, place) => first + place)));
  const count = missing.reduce((sum, { row }) => sum + row.items.length, 0);
  if (!values.quiet) {
    const work = queue
      ? `queue at ${queue.where}, plan ${shortHash(plan.hash)}: ${queue.before} of ${plan.pictures} pictures are made`
      : `${count} of ${plan.pictures} pictures to make`;
    tell(`${work}, up to ${together} at a time`);
  }
  const named = (["classifier", "generator"] as const).flatMap((role) =>
    values[role] ? [`--${role} ${quoted(values[role])}`] : []
  );
  let failure: unknown;
  let failed = false;
  if (count > 0) {
    const bench = { models, judge, signal, named: named.join(" ") };
    const source = queue ?? ownPieces(missing, signal);
    try {
      failed = await makePieces({ source, missing, results, bench, values });
    } catch (error) {
      failure = error;
    }
  }
  if (signal.aborted && results.added < count) {
    tell(`stopped after ${results.added} of ${count} pictures; the same command goes on`);
  }
  let reported = 0;
  try {
    reported = await writeReport(folder, plan);
  } catch (error) {
    failure ??= error;
  }
  if (failure) throw failure;
  const elsewhere = queue?.ended ? plan.pictures - queue.lacks - reported : 0;
  if (elsewhere > 0) {
    tell(
      `the other ${elsewhere} are where other workers put them: \`deno task sweep report\` makes one report of several folders; ` +
        "without --queue they are made here",
    );
  }
  return stopCode() ?? (failed || queue?.lacks ? 1 : 0);
}

/** Writes the report of a folder, again where another run has added to it meanwhile. Returns how many pictures it has. */
async function writeReport(folder: string, plan: Plan): Promise<number> {
  const path = join(folder, reportName);
  let there = 0;
  let told = -1;
  for (let read = readResults([folder], plan); read.lines.length > 0 && read.lines.length !== told;) {
    const { html, missing } = await report(read, basename(resolve(folder)));
    writeFiles(new Map([[path, new TextEncoder().encode(html)]]), { force: true });
    [told, there] = [read.lines.length, read.lines.length - missing];
    read = readResults([folder], plan);
    if (read.lines.length === told) print(`${path}  ${there} of ${read.pictures} pictures`);
  }
  return there;
}

/** The options that a plan follows from, as they were typed; models are told by what they are. */
function typed(values: Values<typeof options>): Record<string, string> {
  const others = ["shard", "queue", "out", "adapter", "tuned", "quiet", "classifier", "generator", "judge"];
  const said = Object.entries(values).flatMap(([name, value]) => {
    const text = Array.isArray(value) ? value.join(" ") : value;
    return typeof text !== "string" || text === "" || others.includes(name) ? [] : [[`--${name}`, text]];
  });
  return Object.fromEntries(said);
}

/** What synth would be asked for with these options, but for the settings. */
const requestValues = (values: Values<typeof options>): SynthValues => ({
  ...Object.fromEntries(Object.entries(making).map(([name, option]) => [name, "repeats" in option ? [] : undefined])),
  ...Object.fromEntries(Object.entries(values).filter(([name]) => !Object.hasOwn(spreadOptions, name))),
} as unknown as SynthValues);

/** The judge, and which of its units are the classifier's. @throws UserError where it does not know a unit of the sweep. */
async function openJudge(folder: string, classifier: Model, { rows }: Request): Promise<Bench["judge"]> {
  const model = await openClassifier(folder);
  const { channels } = layerUnits(model);
  const names = new Map(Array.from({ length: channels }, (_, unit) => [labelOf(model, unit), unit]));
  const same = channels === layerUnits(classifier).channels;
  const unitOf = (unit: number) => names.get(labelOf(classifier, unit)) ?? (same ? unit : undefined);
  const own = rows.filter(({ layer }) => layer === undefined).flatMap(({ items }) =>
    items.flatMap(({ units }) => units ?? [])
  );
  const unknown = own.find((unit) => unit < layerUnits(classifier).channels && unitOf(unit) === undefined);
  if (unknown !== undefined) {
    throw new UserError(`--judge ${folder}: ${model.name} has no unit called "${labelOf(classifier, unknown)}"`);
  }
  return { model, unitOf: (unit) => unitOf(unit)! };
}

/** What the task is called with in place of options. */
export const commands = { report: reportCommand };

if (import.meta.main) {
  const [what, ...args] = Deno.args;
  if (what === "report") await main(reportCommand, args);
  else await main(command);
}
