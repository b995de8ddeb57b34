/** What a picture that was made says of itself. */
import {
  type Device,
  labelOf,
  type Loss,
  type Model,
  objectives,
  parseTarget,
  type SearchItem,
  termsOf,
  type UnitLayer,
} from "../mod.ts";
import { type BatchItem, encodeCode, type PictureRecord, toldSettings } from "./record.ts";
import type { Models, Request, Row } from "./request.ts";

/** A file of the user's own in the place of kernels. */
type Own = NonNullable<PictureRecord["own"]>[number];

/** A picture among those that were made together. */
export interface Making {
  row: Row;
  /** Those of the row that were made together. */
  items: readonly (BatchItem & { target: string })[];
  place: number;
  /** What came of it. */
  item: Omit<SearchItem, "topOf">;
  start?: { file: string; codes: readonly Float32Array[] };
  bounds?: { file: string; values: Float32Array };
  own: readonly Own[];
  /** Phosphene's. */
  version: string;
  device: Device;
  losses: readonly Loss[];
  /** Frames that a film shows in a second. */
  fps?: number;
}

const nameOf = ({ name, hash }: Model) => ({ name, hash });

/** The record of a picture. */
export function recordOf(
  request: Request,
  { classifier }: Models,
  { row: { method, layer, settings, generator }, items, place, item, start, bounds, own, version, device, losses, fps }:
    Making,
): PictureRecord {
  const { xy, weights, arithmetic, crop, directions, set, frames } = request;
  const batchItem = ({ units, target, seed }: BatchItem, i: number): BatchItem => ({
    units,
    target,
    seed,
    start: start && { file: start.file, code: encodeCode(start.codes[i]) },
  });
  const { terms, pairs } = parseTarget(items[place].target);
  const climbed = termsOf({ terms, pairs });
  const meets = climbed.some(({ kind }) => objectives[kind].meets);
  const files = [...new Set(climbed.flatMap(({ file }) => file ?? []))];
  const { activation, top, redirected, trace } = item;
  const all = items.map(batchItem);
  return {
    version,
    classifier: nameOf(classifier),
    generator: nameOf(generator),
    method,
    layer: layer?.name,
    ...all[place],
    xy,
    ...toldSettings(settings),
    weights,
    arithmetic,
    frames,
    windowSize: item.film && item.film.windowSize < frames! ? item.film.windowSize : undefined,
    fps,
    crop,
    directions: files.length === 0
      ? undefined
      : Object.fromEntries(files.map((file) => [file, encodeCode(directions[file])])),
    set: Object.keys(set).length === 0 ? undefined : Object.fromEntries(
      Object.entries(set).map(([name, { file, values }]) => [name, { file, code: encodeCode(values) }]),
    ),
    bounds: bounds && { file: bounds.file, code: encodeCode(bounds.values) },
    batch: items.length > 1 ? items.length : undefined,
    ...(meets ? { beside: all.toSpliced(place, 1), place } : {}),
    own: own.length > 0 ? [...own] : undefined,
    adapter: device.name,
    result: {
      iterations: trace.length,
      activation,
      top,
      ...(redirected > 0 ? { redirected } : {}),
      ...(losses.length > 0 ? { losses: [...losses] } : {}),
    },
  };
}

/** The names of units, where they have any. */
export function titleOf(units: number[], { labelled }: UnitLayer, classifier: Model): string {
  return units.map((unit) => labelled ? labelOf(classifier, unit) : `unit ${unit}`).join(", ");
}

/** What a picture shows, in a sentence for people. */
export function description({ units, target, layer, classifier, generator }: PictureRecord, title: string): string {
  const by = `of ${classifier.name}, drawn by ${generator.name}`;
  if (layer === undefined || !units) return `What maximises ${target} ${by}`;
  const what = units.length > 1 ? `units ${units.join(", ")} (${title}) want` : `unit ${units[0]} (${title}) wants`;
  return `What ${what} to see: ${layer} ${by}`;
}
