/**
 * A target made definite: every term in its slot, and the calls that measure them and make the gradients of their layers.
 */
import { type Call, read, write } from "../gpu/call.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import { UserError } from "../formats/user_error.ts";
import type { Value } from "../net/graph.ts";
import { valueOf } from "../net/naming.ts";
import { unitIndex } from "../net/net.ts";
import type { PlanTensors } from "../net/plan.ts";
import { texelCall } from "../ops/calls.ts";
import { chw, type Shape, unitMap } from "../ops/op.ts";
import { MOST_TRIPS } from "../ops/trips.ts";
import { SPOT, type Spots } from "../ops/spots.ts";
import {
  dotParts,
  dotSums,
  type ObjectiveGeometry,
  objectiveGradient,
  objectiveParts,
  objectiveSpots,
  objectiveValues,
  ownSlots,
} from "../../shaders/search/objective.ts";
import { stateCode } from "../../shaders/search/state.ts";
import type { Joined } from "./joined.ts";
import { directionHelpers } from "./objectives/direction.ts";
import { diversityHelpers } from "./objectives/diversity.ts";
import type { Objective as ObjectiveKind } from "./objectives/objective.ts";
import { type Kind, kinds, objectives } from "./objectives/table.ts";
import { stateNames } from "./settings.ts";
import { type TargetSum, type Term, termsOf } from "./target.ts";

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
const MOST_BLOCKS = MOST_TRIPS / 2, MOST_PAIRED = Math.floor(Math.sqrt(MOST_TRIPS));

/** Makes targets definite. @throws UserError when a layer, unit, position or direction does not fit. */
export function settleObjective(joined: Joined, targets: readonly TargetSum[], directions: Directions = {}): Objective {
  const items = targets.length, vectors = new Map<Value, string[]>();
  const place = (term: Term): Omit<Placed, "weight"> => {
    const source = sourceOf(joined, term), { shape } = source, [c, h, w] = chw(shape), kind = kindOf(term, shape);
    const about: ObjectiveKind = objectives[kind];
    if (about.meets && items < 2) {
      throw new UserError(`${term.kind}(…) compares pictures that are made together; there is only one`);
    }
    if (Math.ceil(c / 4) > MOST_BLOCKS && (about.takes === "direction" || kind === "prob" || kind === "logprob")) {
      throw new UserError(`${term.kind}(…) of "${source.name}" is over ${c} channels, more than kernels can visit`);
    }
    const at = Array.isArray(term.at) ? term.at as [number, number] : undefined;
    const index = unitIndex(source, term.unit ?? 0, at), area = h * w;
    let direction: number | undefined;
    if (term.file !== undefined) {
      const given = directions[term.file], list = vectors.get(source) ?? [];
      if (given?.length !== c) {
        throw new UserError(
          `direction ${term.file} has ${given?.length ?? "no"} values, "${
            term.layer ?? source.name
          }" has ${c} channels`,
        );
      }
      if (!given.every(Number.isFinite)) throw new UserError(`direction ${term.file} holds NaN or infinity`);
      if (!list.includes(term.file)) list.push(term.file);
      vectors.set(source, list);
      direction = list.indexOf(term.file);
    }
    const where = {
      unit: term.unit === undefined ? undefined : Math.floor(index / area),
      row: Math.floor(index / w) % h,
      column: index % w,
      everywhere: term.at === "all",
      direction,
    };
    return { source, kind, at: about.slot(where, shape) };
  };
  const placed = targets.map((target) => {
    if (termsOf(target).length === 0) throw new UserError("a target has no unit");
    return placeTerms(target, place);
  });
  const sources = [...new Set(placed.flat().map(({ source }) => source))];
  const groups: Group[] = [];
  const texelsOf = new Map<Group, Placed[][]>();
  let slots = 0;
  for (const source of sources) {
    for (const kind of kinds) {
      const own = placed.map((list) => list.filter((one) => one.source === source && one.kind === kind));
      const most = Math.max(...own.map(({ length }) => length));
      if (most === 0) continue;
      const group = { source, kind, first: slots, end: slots += most };
      groups.push(group);
      texelsOf.set(group, own);
    }
  }
  const pairs = placed.flat().some(({ pair }) => pair), count = items * slots;
  const alone = sources.length === 1 && groups.every(({ kind }) => kind === "unit");
  if (pairs && !alone && slots > MOST_PAIRED) {
    throw new UserError(
      `a target with pairs has ${slots} terms, expected at most ${MOST_PAIRED} where not all are units`,
    );
  }
  const texels = new Float32Array(4 * count * (pairs ? 2 : 1)).fill(-1);
  for (const [{ first }, own] of texelsOf) {
    own.forEach((list, item) =>
      list.forEach(({ at, weight, pair }, k) => {
        const slot = item * slots + first + k;
        texels.set([...at, weight], 4 * slot);
        if (pair) texels.set([pair.group, pair.gamma], 4 * (count + slot));
      })
    );
  }
  return { sources, groups, items, slots, pairs, texels, ...packDirections(vectors, directions) };
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
  const first = new Map<Value, number>(), lists: Float32Array[] = [];
  let texels = 0;
  for (const [source, names] of vectors) {
    first.set(source, texels);
    const blocks = Math.ceil(chw(source.shape)[0] / 4);
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

/** Texels of a term's layer that one invocation sums up, about, and the most pieces. */
const PART_TEXELS = 256, MOST_PARTS = 4096;

/** Units of an item up to which a pair costs each invocation of a gradient little. */
const MOST_PAIRED_SPOTS = 16;

/** The search's own tensors that an objective's kernels bind. */
export interface ObjectiveTensors {
  slots: Tensor;
  state: Tensor;
  trace: Tensor;
  /** Where terms are measured. */
  measures?: Tensor;
  directions?: Tensor;
}

/** Whether all terms are units of one layer: then nothing has to be measured. */
export const isDirect = ({ sources, groups }: Objective): boolean =>
  sources.length === 1 && groups.every(({ kind }) => kind === "unit");

function geometryOf(objective: Objective, source: Value): ObjectiveGeometry {
  const { items, slots, pairs, groups, firstDirections } = objective, [c, h, w] = chw(source.shape);
  const own = groups.filter((group) => group.source === source), names = own.map(({ kind }) => kind);
  const texels = Math.ceil(c / 4) * h * w;
  return {
    items,
    map: [c, h, w],
    slots,
    pairs,
    direct: isDirect(objective),
    terms: own.map(({ kind, first, end }) => ({ name: kind, first, end, ...objectives[kind].wgsl })),
    parts: Math.min(MOST_PARTS, Math.ceil(texels / PART_TEXELS)),
    firstDirection: firstDirections.get(source) ?? 0,
    helpers: [
      names.some((kind) => objectives[kind].takes === "direction") ? directionHelpers : "",
      names.includes("diversity") ? diversityHelpers : "",
    ].join(""),
  };
}

/** The calls that write a dy for each source, and the trace. */
export function objectiveCalls(
  objective: Objective,
  { of, dy }: PlanTensors,
  { slots, state, trace, measures, directions }: ObjectiveTensors,
): Call[] {
  const measuring: Call[] = [], gradients: Call[] = [], { items } = objective;
  objective.sources.forEach((source, n) => {
    const geometry = geometryOf(objective, source), { terms, parts, direct } = geometry;
    const has = (test: (kind: Kind) => boolean) => terms.some(({ name }) => test(name as Kind));
    const named = (what: string) => `${what} at ${source.name}`, y = of(source);
    const buffer = (what: string, texels: number): Tensor => run(named(what), texels, "buffer");
    const given: Record<string, Tensor> = { y, slots };
    if (has((kind) => objectives[kind].takes === "direction")) given.directions = directions!;
    if (has((kind) => kind === "diversity")) {
      const pieces = buffer("pieces", items * items * parts), dots = buffer("dots", items * items);
      measuring.push(
        texelCall(named("dot pieces"), { y }, { parts: write(pieces) }, dotParts(geometry)),
        texelCall(named("dots"), { parts: pieces }, { dots: write(dots) }, dotSums(parts)),
      );
      given.dots = dots;
    }
    if (!direct) {
      const shares = has((kind) => objectives[kind].wgsl.part !== undefined)
        ? buffer("shares", items * ownSlots(geometry) * parts)
        : undefined;
      if (shares) {
        measuring.push(texelCall(named("shares"), given, { parts: write(shares) }, objectiveParts(geometry)));
      }
      const reads = Object.entries(shares ? { ...given, parts: shares } : given).map(([name, tensor]) =>
        [name, read(tensor)] as const
      );
      measuring.push({
        label: named("terms"),
        bindings: { ...Object.fromEntries(reads), measures: write(measures!) },
        code: objectiveValues(geometry),
        invocations: items * ownSlots(geometry),
        flops: 0,
      });
      given.measures = measures!;
    }
    const outputs = { dy: write(dy![n]) };
    const call = n === 0
      ? texelCall(
        "objective",
        { ...given, state },
        { ...outputs, trace: write(trace) },
        objectiveGradient(geometry, stateCode(stateNames)),
        geometry.slots,
      )
      : texelCall(named("objective"), given, outputs, objectiveGradient(geometry), geometry.slots);
    gradients.push(call);
  });
  return [...measuring, ...gradients];
}

/** Where all of dy is that is not zero, where the objective is a few units of one layer. */
export function objectiveSpotsOf(
  objective: Objective,
  { of }: PlanTensors,
  { slots, state, trace }: ObjectiveTensors,
): Spots | undefined {
  const { sources: [source], slots: count, pairs } = objective;
  if (!isDirect(objective) || pairs && count > MOST_PAIRED_SPOTS) return undefined;
  return {
    count,
    bindings: { y: read(of(source)), slots: read(slots), state: read(state), trace: write(trace) },
    code: SPOT + objectiveSpots(geometryOf(objective, source), stateCode(stateNames)),
  };
}
