/** A target made definite: every term in its slot. */
import { UserError } from "../formats/user_error.ts";
import type { Value } from "../net/graph.ts";
import { valueOf } from "../net/naming.ts";
import { unitIndex } from "../net/net.ts";
import { chw, type Shape, unitMap } from "../ops/op.ts";
import { MOST_TRIPS } from "../ops/trips.ts";
import type { Joined } from "./joined.ts";
import type { Objective as ObjectiveKind } from "./objectives/objective.ts";
import { type Kind, kinds, objectives } from "./objectives/table.ts";
import type { Penalty } from "./penalties.ts";
import { type TargetSum, type Term, termsOf } from "./target.ts";
import { channelBlocks } from "../../shaders/texels.ts";

/** Directions by the name of their file in a target. */
export type Directions = Readonly<Record<string, Float32Array>>;

/** One layer's slots of one kind. */
interface Group {
  source: Value;
  kind: Kind;
  first: number;
  end: number;
}

/** What a search climbs, in numbers. */
export interface Objective {
  /** The layers that have terms. */
  sources: readonly Value[];
  groups: readonly Group[];
  items: number;
  /** Slots of an item. */
  slots: number;
  pairs: boolean;
  /** Whether there are terms that do not count in the trace. */
  silent: boolean;
  /** Texels of the slots: where each is and its weight; with pairs then the group and γ of each. */
  texels: Float32Array<ArrayBuffer>;
  /** Texels of the directions, and where those of each layer begin. */
  directions: Float32Array<ArrayBuffer>;
  firstDirections: ReadonlyMap<Value, number>;
}

/** A term that has found its place. */
interface Placed {
  source: Value;
  kind: Kind;
  at: readonly [number, number, number];
  weight: number;
  pair?: { group: number; gamma: number };
}

/** Values that a target's terms are about. @throws UserError when nothing has a name. */
export const sourceOf = (joined: Joined, { layer }: Pick<Term, "layer">): Value =>
  layer === undefined ? joined.units : valueOf(joined.graph, layer);

/** A term of one value is a unit, whatever it is called. */
function kindOf({ kind }: Term, shape: Shape): Kind {
  const [, h, w] = unitMap(shape);
  return h * w === 1 && objectives[kind].takes === "channel" ? "unit" : kind;
}

/** Blocks of channels that a term visits one after another, twice, and terms that each look at all others. */
const MOST_BLOCKS = MOST_TRIPS / 2;
const MOST_PAIRED = Math.floor(Math.sqrt(MOST_TRIPS));

/** The third number of a slot whose term does not count in the trace. */
const SILENT = -1;

/** Makes targets definite, each with the same penalties. @throws UserError when a layer, unit, position or direction does not fit. */
export function settleObjective(
  joined: Joined,
  targets: readonly TargetSum[],
  directions: Directions = {},
  penalties: readonly Penalty[] = [],
): Objective {
  const items = targets.length;
  const vectors = new Map<Value, string[]>();
  const place = (term: Term) => placeOf(joined, term, items, directions, vectors);
  const costs = penalties.map((penalty) => costOf(penalty, joined.levels!));
  const placed = targets.map((target) => {
    if (termsOf(target).length === 0) throw new UserError("a target has no unit");
    return [...placeTerms(target, place), ...costs];
  });
  const { groups, slots } = slotsOf(placed);
  const sources = [...new Set(placed.flat().map(({ source }) => source))];
  const pairs = placed.flat().some(({ pair }) => pair);
  if (pairs && !isDirect({ sources, groups }) && slots > MOST_PAIRED) {
    throw new UserError(
      `a target with pairs has ${slots} terms, expected at most ${MOST_PAIRED} where not all are units`,
    );
  }
  return {
    sources,
    groups,
    items,
    slots,
    pairs,
    silent: costs.length > 0,
    texels: slotTexels(placed, groups, slots, pairs),
    ...packDirections(vectors, directions),
  };
}

/**
 * Where a term is, among the terms of so many pictures.
 * @param vectors The directions that each layer's terms have; one that this term has is added.
 * @throws UserError when a layer, unit, position or direction does not fit.
 */
function placeOf(
  joined: Joined,
  term: Term,
  items: number,
  directions: Directions,
  vectors: Map<Value, string[]>,
): Omit<Placed, "weight"> {
  const source = sourceOf(joined, term);
  const [c, h, w] = chw(source.shape);
  const kind = kindOf(term, source.shape);
  const about: ObjectiveKind = objectives[kind];
  if (about.meets && items < 2) {
    throw new UserError(`${term.kind}(…) compares pictures that are made together; there is only one`);
  }
  if (channelBlocks(c) > MOST_BLOCKS && about.visitsChannels) {
    throw new UserError(`${term.kind}(…) of "${source.name}" is over ${c} channels, more than kernels can visit`);
  }
  const at = Array.isArray(term.at) ? term.at as [number, number] : undefined;
  const name = term.layer ?? source.name;
  const index = unitIndex({ name, shape: source.shape }, term.unit ?? 0, at);
  if (term.file !== undefined) checkDirection(term.file, directions[term.file], name, c);
  const where = {
    unit: term.unit === undefined ? undefined : Math.floor(index / (h * w)),
    row: Math.floor(index / w) % h,
    column: index % w,
    everywhere: term.at === "all",
    direction: term.file === undefined ? undefined : numberOf(term.file, source, vectors),
    power: term.power,
  };
  return { source, kind, at: about.slot(where, source.shape) };
}

/** @throws UserError for a direction that is not there, or does not fit a layer of so many channels. */
function checkDirection(file: string, given: Float32Array | undefined, layer: string, channels: number): void {
  if (given?.length !== channels) {
    throw new UserError(`direction ${file} has ${given?.length ?? "no"} values, "${layer}" has ${channels} channels`);
  }
  if (!given.every(Number.isFinite)) throw new UserError(`direction ${file} holds NaN or infinity`);
}

/** The number of a direction among those of its layer, to which it is added. */
function numberOf(file: string, source: Value, vectors: Map<Value, string[]>): number {
  const list = vectors.get(source) ?? [];
  vectors.set(source, list);
  if (!list.includes(file)) list.push(file);
  return list.indexOf(file);
}

/** A penalty as a term that does not count in the trace. */
function costOf({ kind, weight, power }: Penalty, levels: Value): Placed {
  const everywhere = { power, row: 0, column: 0, everywhere: true };
  const [first, second] = objectives[kind].slot(everywhere, levels.shape);
  return { source: levels, kind, at: [first, second, SILENT], weight };
}

/** The slots of an item: for each layer and kind as many as the item with the most such terms has. */
function slotsOf(placed: readonly Placed[][]): { groups: Group[]; slots: number } {
  const groups: Group[] = [];
  let slots = 0;
  for (const source of new Set(placed.flat().map(({ source }) => source))) {
    for (const kind of kinds) {
      const most = Math.max(...placed.map((list) => list.filter((one) => isOf({ source, kind }, one)).length));
      if (most > 0) groups.push({ source, kind, first: slots, end: slots += most });
    }
  }
  return { groups, slots };
}

/** Whether a term is of a layer and a kind. */
const isOf = ({ source, kind }: Pick<Group, "source" | "kind">, one: Placed): boolean =>
  one.source === source && one.kind === kind;

/** The slots as texels: those that an item does not need are empty. */
function slotTexels(placed: readonly Placed[][], groups: readonly Group[], slots: number, pairs: boolean) {
  const count = placed.length * slots;
  const texels = new Float32Array(4 * count * (pairs ? 2 : 1)).fill(-1);
  placed.forEach((list, item) => {
    for (const group of groups) {
      list.filter((one) => isOf(group, one)).forEach(({ at, weight, pair }, k) => {
        const slot = item * slots + group.first + k;
        texels.set([...at, weight], 4 * slot);
        if (pair) texels.set([pair.group, pair.gamma], 4 * (count + slot));
      });
    }
  });
  return texels;
}

/** A target's terms in their places; what stands in a pair and in the sum has one slot. */
function placeTerms({ terms, pairs }: TargetSum, place: (term: Term) => Omit<Placed, "weight">): Placed[] {
  const list: Placed[] = terms.map(({ weight, term }) => ({ ...place(term), weight }));
  const key = ({ source, kind, at }: Omit<Placed, "weight">) => `${kind} ${at} ${source.name}`;
  const free = Map.groupBy(list, key);
  pairs.forEach(({ weight, terms }, group) => {
    for (const term of terms) {
      const own = place(term);
      const pair = { group, gamma: -weight };
      const alone = free.get(key(own))?.find((one) => !one.pair && one.source === own.source);
      if (alone) alone.pair = pair;
      else list.push({ ...own, weight: 0, pair });
    }
  });
  return list;
}

/** The directions of each layer one after another, as texels of its channels. */
function packDirections(vectors: ReadonlyMap<Value, readonly string[]>, directions: Directions) {
  const first = new Map<Value, number>();
  const lists: Float32Array[] = [];
  let texels = 0;
  for (const [source, names] of vectors) {
    first.set(source, texels);
    const blocks = channelBlocks(chw(source.shape)[0]);
    for (const name of names) {
      const vector = new Float32Array(4 * blocks);
      vector.set(directions[name]);
      lists.push(vector);
      texels += blocks;
    }
  }
  const all = new Float32Array(4 * texels);
  lists.reduce((at, vector) => (all.set(vector, at), at + vector.length), 0);
  return { directions: all, firstDirections: first };
}

/** Whether all terms are units of one layer: then nothing has to be measured. */
export const isDirect = ({ sources, groups }: Pick<Objective, "sources" | "groups">): boolean =>
  sources.length === 1 && groups.every(({ kind }) => kind === "unit");
