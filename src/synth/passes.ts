/** What is done to codes after a step, in passes over all of their pixels: blurred, and those that matter little set to zero. */
import { type Binding, type Call, read, update, write } from "../gpu/call.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import { blurColumns, type BlurGeometry, blurRows } from "../../shaders/search/blur.ts";
import type { CodeGeometry } from "../../shaders/search/step.ts";
import { COUNTS, measures, ROUNDS, thin, thinCount, type ThinGeometry, thinPick } from "../../shaders/search/thin.ts";
import { type Settings, stateNames } from "./settings.ts";
import type { StepTensors } from "./step.ts";

/** What they go by. */
export type PassSettings = Pick<Settings, "blur" | "blurEvery" | "smallNorm" | "smallContribution">;

/** Pixels that an invocation counts, about. */
const PART_TEXELS = 64;

/** The calls, in the order of Yosinski et al. (2015): blur, small norms, small contributions; each ends in the statements `last`. */
export function passCalls(
  { blur, blurEvery, smallNorm, smallContribution }: PassSettings,
  geometry: CodeGeometry,
  tensors: StepTensors,
  last: readonly string[],
): Call[] {
  const all = [
    ...blur > 0
      ? [(finish: readonly string[]) => blurCalls({ sigma: blur, every: blurEvery }, geometry, tensors, finish)]
      : [],
    ...smallNorm > 0 ? [(finish: readonly string[]) => thinCalls("norm", smallNorm, geometry, tensors, finish)] : [],
    ...smallContribution > 0
      ? [(finish: readonly string[]) => thinCalls("contribution", smallContribution, geometry, tensors, finish)]
      : [],
  ];
  return all.flatMap((calls, n) => calls(n === all.length - 1 ? last : []));
}

/** What a pass ends in, given the statements: the bounds are only bound where they are read. */
const ends = ({ bound, code, input }: StepTensors, finish: readonly string[]): Record<string, Binding> => ({
  ...finish.length > 0 ? { bound: read(bound) } : {},
  code: update(code),
  input: write(input),
});

function blurCalls(
  how: Pick<BlurGeometry, "sigma" | "every">,
  geometry: CodeGeometry,
  tensors: StepTensors,
  finish: readonly string[],
): Call[] {
  const { code, state, slopes, input: { shape: [, , h, w] } } = tensors;
  const { items, texels } = geometry;
  const blurred = run("blurred rows", items * texels, "buffer");
  const own: BlurGeometry = { ...geometry, ...how, size: [h, w] };
  const known = { state: read(state), slopes: read(slopes) };
  const invocations = items * texels;
  return [
    {
      label: "blur rows",
      bindings: { ...known, code: read(code), blurred: write(blurred) },
      code: blurRows(own, stateNames),
      ...{ invocations, flops: 0 },
    },
    {
      label: "blur columns",
      bindings: { ...known, blurred: read(blurred), ...ends(tensors, finish) },
      code: blurColumns(own, stateNames, finish),
      ...{ invocations, flops: 0 },
    },
  ];
}

function thinCalls(
  by: keyof typeof measures,
  percent: number,
  geometry: CodeGeometry,
  tensors: StepTensors,
  finish: readonly string[],
): Call[] {
  const { items, texels } = geometry;
  const { code, g, state, slopes } = tensors;
  const parts = Math.ceil(texels / PART_TEXELS);
  const own: ThinGeometry = { ...geometry, percent, parts, measure: measures[by] };
  const known: Tensor = run(`known ${by}`, items, "buffer");
  const counts = run(`counts of ${by}`, COUNTS * items * parts, "buffer");
  const gradient: Record<string, Binding> = by === "contribution" ? { g: read(g) } : {};
  const rounds = Array.from({ length: ROUNDS }, (_, round): Call[] => [
    {
      label: `count small ${by}`,
      bindings: {
        ...gradient,
        code: read(code),
        ...(round > 0 ? { known: read(known) } : {}) as Record<string, Binding>,
        counts: write(counts),
      },
      code: thinCount(own, round),
      ...{ invocations: items * parts, flops: 0 },
    },
    {
      label: `pick small ${by}`,
      bindings: { counts: read(counts), known: round > 0 ? update(known) : write(known) },
      code: thinPick(own, round),
      ...{ invocations: items, flops: 0 },
    },
  ]);
  return [
    ...rounds.flat(),
    {
      label: `drop small ${by}`,
      bindings: { ...gradient, known: read(known), state: read(state), slopes: read(slopes), ...ends(tensors, finish) },
      code: thin(own, stateNames, finish),
      ...{ invocations: items * texels, flops: 0 },
    },
  ];
}
