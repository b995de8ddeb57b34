/** Makes the pictures of a piece, and says what came of each. */
import { encodePng } from "../../formats/png.ts";
import {
  type Choose,
  despiteLosses,
  type Device,
  inputOf,
  layerUnits,
  type Model,
  Net,
  type Progress,
  quoted,
  rank,
  search,
  type SearchItem,
  type SearchOptions,
  settingWords,
} from "../../mod.ts";
import { version } from "../defaults.ts";
import { recordText } from "../../record/record.ts";
import { description, recordOf, titleOf } from "../../record/making.ts";
import { type Models, type Row, searchOf, settingsOf } from "../../record/request.ts";
import { hashOf, type Piece } from "./plan.ts";
import { type Line, pictureName, type Seen } from "./results.ts";

/** Moments of a trace that are kept. */
const mostMoments = 60;

/** What pieces are made with. */
export interface Bench {
  device: Device;
  models: Models;
  /** A classifier that the search never sees, and the number of each of the other's units in it. */
  judge?: { model: Model; unitOf: (unit: number) => number };
  /** The models as options. */
  named: string;
  choose: Choose;
  onPlan: NonNullable<SearchOptions["onPlan"]>;
  signal: AbortSignal;
  onProgress(progress: Progress): void;
}

/** Pictures by their names, and their lines. Undefined where the search was stopped. */
export async function make(
  { request, row, first, bounds }: Piece,
  { device, models, judge, named, choose, onPlan, signal, onProgress }: Bench,
): Promise<{ pictures: Map<string, Uint8Array>; lines: Line[] } | undefined> {
  const { layer, items, settings } = row;
  const { classifier } = models;
  const result = await search(device, {
    ...searchOf(request, row, classifier),
    ...{ choose, onPlan, signal, onProgress, bounds: bounds?.values },
  }).catch((error) => {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  });
  if (!result || result.aborted) return undefined;
  const judged = judge &&
    await despiteLosses(device, () => judgements(device, judge.model, result.items, choose), () => {});
  const pictures = new Map<string, Uint8Array>();
  const lines: Line[] = [];
  for (const [place, item] of result.items.entries()) {
    const { units, target, seed } = items[place];
    const picture = first + place;
    const file = pictureName(picture);
    const title = layer && units ? titleOf(units, layer, classifier) : target;
    const making = { row, items, place, item, bounds, own: [], version, device, losses: result.losses };
    const record = recordOf(request, models, making);
    const bytes = encodePng(item.picture, recordText(record, description(record, title)));
    pictures.set(file, bytes);
    const own = layer?.labelled ? units?.[0] : undefined;
    const seen = judged?.[place];
    const expected = own === undefined || !judge ? undefined : judge.unitOf(own);
    lines.push({
      ...{ picture, file, title, layer: layer?.name, units, target, seed, settings },
      activation: item.activation,
      top: item.top.map(seenAs),
      topOf: item.topOf,
      recognised: own === undefined ? undefined : item.top[0].unit === own,
      judge: judge && seen &&
        {
          top: seen,
          topOf: layerUnits(judge.model).name,
          recognised: expected === undefined ? undefined : seen[0].unit === expected,
        },
      trace: moments(item.trace),
      zeroGradient: item.zeroGradient,
      adapter: device.name,
      command: [commandOf(row, place, classifier), named].filter((part) => part).join(" "),
      named,
      sha256: await hashOf(bytes),
    });
  }
  return { pictures, lines };
}

/** What another classifier sees in pictures, by its logits. */
async function judgements(
  device: Device,
  judge: Model,
  items: readonly SearchItem[],
  choose: Choose,
): Promise<Seen[][]> {
  using net = await Net.create(device, judge, { batch: items.length, choose, layer: layerUnits(judge).name });
  const inputs = items.map(({ picture }) => inputOf(judge, picture));
  const all = new Float32Array(items.length * inputs[0].length);
  inputs.forEach((input, n) => all.set(input, n * input.length));
  const output = await net.forward(all);
  const units = output.length / items.length;
  return items.map((_, n) => rank(judge, output.subarray(n * units, (n + 1) * units), 5).map(seenAs));
}

const seenAs = ({ unit, name, activation }: Seen): Seen => ({ unit, name, activation: fewDigits(activation) });

const fewDigits = (value: number): number => Number(value.toPrecision(6));

/** A trace at evenly spaced iterations, the first and the last among them. */
function moments(trace: Float32Array): number[] {
  const count = Math.min(mostMoments, trace.length);
  const last = trace.length - 1;
  return Array.from(
    { length: count },
    (_, n) => fewDigits(trace[count === 1 ? last : Math.round(n * last / (count - 1))]),
  );
}

/** The command that makes a picture by itself. */
function commandOf({ method, layer, items, settings }: Row, place: number, classifier: Model): string {
  const { units, target, seed } = items[place];
  const what = layer && units ? `--layer ${quoted(layer.name)} --unit ${units[0]}` : `--target ${quoted(target)}`;
  const usual = settingsOf({ said: { prior: settings.prior, rule: settings.rule } }, method, classifier);
  const { prior, rule } = settingsOf({ said: {} }, method, classifier);
  const known = { ...usual, prior, rule };
  const words = ["deno task synth", ...method ? [`--method ${method}`] : [], what, `--seed ${seed}`];
  return [...words, ...settingWords(settings, known)].join(" ");
}
