/** What a picture of synth's says of itself. */
import { type Device, type Loss, type Model, objectives, parseTarget, type SearchItem, termsOf } from "../mod.ts";
import { version } from "./defaults.ts";
import { type BatchItem, encodeCode, type PictureRecord, toldSettings } from "./record.ts";
import type { OwnFile } from "./own_kernels.ts";
import type { Models, Request, Row } from "./synth_request.ts";

/** A picture among those that were made together. */
export interface Making {
  row: Row;
  /** Those of the row that were made together. */
  items: readonly (BatchItem & { target: string })[];
  place: number;
  /** What came of it. */
  item: SearchItem;
  start?: { file: string; codes: readonly Float32Array[] };
  bounds?: { file: string; values: Float32Array };
  own: readonly OwnFile[];
  device: Device;
  losses: readonly Loss[];
}

const nameOf = ({ name, hash }: Model) => ({ name, hash });

/** The record of a picture. */
export function recordOf(
  request: Request,
  { classifier }: Models,
  { row: { method, layer, settings, generator }, items, place, item, start, bounds, own, device, losses }: Making,
): PictureRecord {
  const { xy, weights, arithmetic, fit, interpolation, crop, directions, set } = request;
  const batchItem = ({ units, target, seed }: BatchItem, i: number): BatchItem => ({
    units,
    target,
    seed,
    start: start && { file: start.file, code: encodeCode(start.codes[i]) },
  });
  const { terms, pairs } = parseTarget(items[place].target), climbed = termsOf({ terms, pairs });
  const meets = climbed.some(({ kind }) => objectives[kind].meets);
  const files = [...new Set(climbed.flatMap(({ file }) => file ?? []))];
  const { activation, top, redirected, trace } = item, all = items.map(batchItem);
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
    fit,
    interpolation,
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
