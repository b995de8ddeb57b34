/**
 * What is to be made: by somebody who asks, or again by what a picture says of itself; and what that comes to with the models at
 * hand.
 */
import { UserError } from "../formats/user_error.ts";
import {
  checkSearch,
  type GivenInputs,
  imageModel,
  lastName,
  type MethodName,
  methods,
  type Model,
  searchedUnits,
  type SearchOptions,
  settingNames,
  type Settings,
  showTarget,
  sizeOf,
  suitable,
  type UnitLayer,
  unitsTarget,
} from "../mod.ts";
import { type BatchItem, decodeCode, type PictureRecord } from "./record.ts";

/** What to make, before the models are known. */
export interface Request
  extends Pick<PictureRecord, "xy" | "weights" | "arithmetic" | "crop" | "frames" | "windowSize" | "fps"> {
  /** Pictures that are made together: those of each method, and of each layer or target. */
  rows: { method?: MethodName; layer?: string; items: BatchItem[] }[];
  /** The settings that somebody said. */
  said: Partial<Settings>;
  /** A file with upper bounds of the code; the generator's own where there is none. */
  bounds?: NamedBytes;
  /** A picture or codes to start from. */
  init?: NamedBytes;
  /** Directions by their files, and other inputs by their names. */
  directions: Record<string, Float32Array>;
  set: Record<string, { file: string; values: Float32Array }>;
  /** The record that this repeats, and which of the batch is kept. */
  repeats?: { file: string; record: PictureRecord; keep: number };
}

interface NamedBytes {
  file: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Pictures that are made together, each with its target. */
export interface Row {
  method?: MethodName;
  /** The layer of the units; none where targets are given. */
  layer?: UnitLayer;
  items: (BatchItem & { target: string })[];
  settings: Settings;
  /** What draws them: the learned generator, or an image prior's. */
  generator: Model;
}

/** What to make with the models at hand. */
export interface Job {
  rows: Row[];
}

/** A search with every setting said. */
type RowSearch = SearchOptions & Settings;

/** The two networks; no generator where no row wants a learned one. */
export interface Models {
  classifier: Model;
  generator?: Model;
}

/** A request to make a picture again: alone, or among others where they mattered or made kernels round otherwise. */
export function requestOf(record: PictureRecord, file: string): Request {
  const { method, layer, units, target, seed, start, xy, weights, arithmetic, crop } = record;
  const { batch = 1, beside, place = 0 } = record;
  const own: BatchItem = { units, target, seed, start };
  const items = beside ? beside.toSpliced(place, 0, own) : Array.from({ length: batch }, () => own);
  const said = Object.fromEntries(settingNames.map((name) => [name, record[name]])) as Partial<Settings>;
  const decode = (text: string, what: string) => decodeCode(text, undefined, file, what);
  return {
    rows: [{ method, layer, items }],
    xy,
    said: { ...said, redirect: said.redirect ?? 0 }, // which old pictures were made without
    weights,
    arithmetic,
    crop,
    frames: record.frames,
    windowSize: record.windowSize,
    fps: record.fps,
    directions: Object.fromEntries(
      Object.entries(record.directions ?? {}).map(([name, text]) => [name, decode(text, `direction ${name}`)]),
    ),
    set: Object.fromEntries(
      Object.entries(record.set ?? {}).map(([name, { file, code }]) => [
        name,
        { file, values: decode(code, `input ${name}`) },
      ]),
    ),
    repeats: { file, record, keep: beside ? place : 0 },
  };
}

/** Makes sure that these are the models of the record. @throws UserError naming the one that differs. */
export function checkModels({ repeats }: Request, models: Models): void {
  if (!repeats) return;
  for (const role of ["classifier", "generator"] as const) {
    const made = repeats.record[role];
    const here = models[role];
    if (!here || made.hash === here.hash) continue;
    throw new UserError(
      `${repeats.file} was made with ${role} ${made.name} (${made.hash.slice(0, 12)}…), ${here.where} is ` +
        `${here.name} (${here.hash.slice(0, 12)}…); --${role} names another folder`,
    );
  }
}

/** What the request asks of these models. @throws UserError in one sentence where layers, units or positions are not there. */
export function settleRequest(request: Request, models: Models): Job {
  const { classifier } = models;
  const { repeats, xy } = request;
  const rows = request.rows.map(({ method, layer, items }): Row => {
    const decided = settingsOf(request, method, classifier);
    const generator = imageModel(decided.prior, classifier, sizeOf(classifier, decided.size)) ?? models.generator!;
    const old = repeats && repeats.record.target === undefined && layer !== undefined;
    const units = items[0].units && searchedUnits(classifier, old ? lastName(classifier, layer) : layer);
    if (units) {
      checkUnits(units, items.flatMap(({ units }) => units ?? []), classifier);
      checkPosition(units, xy);
    }
    const targetOf = ({ units: list = [] }: BatchItem) =>
      showTarget(unitsTarget({ layer: units?.name, units: list, at: xy, gamma: decided.gamma }));
    const own = items.map((item) => ({ ...item, target: item.target ?? targetOf(item) }));
    return { method, layer: units, items: own, settings: decided, generator };
  });
  for (const row of rows) {
    const search = searchOf(request, row, classifier);
    // A film is a search of its own.
    for (const targets of request.frames === undefined ? [search.targets] : search.targets.map((one) => [one])) {
      checkSearch({ ...search, targets });
    }
  }
  return { rows };
}

/** The search that makes a row's pictures, from these codes or else their seeds, within the generator's own bounds. */
export function searchOf(
  request: Request,
  { items, settings, generator }: Row,
  classifier: Model,
  codes?: readonly Float32Array[],
): RowSearch {
  const { weights, arithmetic, directions, frames, windowSize } = request;
  const set = inputsOf(request);
  const targets = items.map(({ target, seed }, n) => ({ target, seed, code: codes?.[n] }));
  const film = { frames, windowSize };
  return {
    generator,
    classifier,
    ...settings,
    ...film,
    weights,
    arithmetic,
    directions,
    set,
    targets,
  };
}

/** Whether any row wants a learned generator. @throws UserError */
export const wantsGenerator = (request: Pick<Request, "said" | "rows">, classifier: Model): boolean =>
  request.rows.some(({ method }) => settingsOf(request, method, classifier).prior === "learned");

/** The settings of a row. @throws UserError */
export function settingsOf(
  { said }: Pick<Request, "said">,
  method: MethodName | undefined,
  classifier: Model,
): Settings {
  const side = Math.max(...sizeOf(classifier, said.size ?? 0));
  return suitable(said, classifier, method && methods[method].settings(side));
}

/** @throws UserError unless a layer has all of these units. */
export function checkUnits({ name, channels }: UnitLayer, units: readonly number[], classifier: Model): void {
  const missing = units.find((unit) => unit >= channels);
  if (missing !== undefined) {
    throw new UserError(`unit ${missing} does not exist: ${name} of ${classifier.name} has units 0 to ${channels - 1}`);
  }
}

/** @throws UserError unless a position is in a layer's maps. */
function checkPosition({ name, height, width }: UnitLayer, xy: Request["xy"]): void {
  if (xy && (xy[0] >= width || xy[1] >= height)) {
    throw new UserError(`position ${xy} does not exist: the maps of ${name} are ${width} wide and ${height} high`);
  }
}

/** The values of the networks' other inputs. */
export const inputsOf = ({ set }: Request): GivenInputs =>
  Object.fromEntries(Object.entries(set).map(([name, { values }]) => [name, values]));
