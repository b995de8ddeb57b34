/** The calls of an objective: those that measure its terms, and those that make the gradients of their layers. */
import { type Call, read, write } from "../gpu/call.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import type { Value } from "../net/graph.ts";
import type { PlanTensors } from "../net/plan.ts";
import { texelCall } from "../ops/calls.ts";
import { chw } from "../ops/op.ts";
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
import { isDirect, type Objective } from "./objective.ts";
import { directionHelpers } from "./objectives/direction.ts";
import { diversityHelpers } from "./objectives/diversity.ts";
import { type Kind, objectives } from "./objectives/table.ts";
import { stateNames } from "./settings.ts";
import { channelBlocks } from "../../shaders/texels.ts";

/** Texels of a term's layer that one invocation sums up, about, and the most pieces. */
const PART_TEXELS = 256;
const MOST_PARTS = 4096;

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

function geometryOf(objective: Objective, source: Value): ObjectiveGeometry {
  const { items, slots, pairs, silent, groups, firstDirections } = objective;
  const [c, h, w] = chw(source.shape);
  const own = groups.filter((group) => group.source === source);
  const names = own.map(({ kind }) => kind);
  const texels = channelBlocks(c) * h * w;
  return {
    items,
    map: [c, h, w],
    slots,
    pairs,
    silent,
    direct: isDirect(objective),
    terms: own.map(({ kind, first, end }) => ({ name: kind, first, end, ...objectives[kind].wgsl })),
    parts: Math.min(MOST_PARTS, Math.ceil(texels / PART_TEXELS)),
    firstDirection: firstDirections.get(source) ?? 0,
    helpers: [
      names.some((kind) => objectives[kind].takes === "direction") ? directionHelpers : "",
      names.some((kind) => objectives[kind].meets) ? diversityHelpers : "",
    ].join(""),
  };
}

/** The calls that write a dy for each source, and the trace. */
export function objectiveCalls(
  objective: Objective,
  { of, dy }: PlanTensors,
  { slots, state, trace, measures, directions }: ObjectiveTensors,
): Call[] {
  const measuring: Call[] = [];
  const gradients: Call[] = [];
  const { items } = objective;
  objective.sources.forEach((source, n) => {
    const geometry = geometryOf(objective, source);
    const { terms, parts, direct } = geometry;
    const has = (test: (kind: Kind) => boolean) => terms.some(({ name }) => test(name as Kind));
    const named = (what: string) => `${what} at ${source.name}`;
    const y = of(source);
    const buffer = (what: string, texels: number): Tensor => run(named(what), texels, "buffer");
    const given: Record<string, Tensor> = { y, slots };
    if (has((kind) => objectives[kind].takes === "direction")) given.directions = directions!;
    if (has((kind) => objectives[kind].meets === true)) {
      const pieces = buffer("pieces", items * items * parts);
      const dots = buffer("dots", items * items);
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
