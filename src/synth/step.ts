/** The calls that end an iteration: how large the gradient is, then the step of the codes, and what is done to them after it. */
import type { Adapter } from "../gpu/adapter.ts";
import { type Call, read, update, write } from "../gpu/call.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import { texelCall } from "../ops/calls.ts";
import {
  type CodeGeometry,
  groupStep,
  jointMagnitude,
  magnitude,
  step,
  type StepKernel,
} from "../../shaders/search/step.ts";
import { passCalls } from "./passes.ts";
import { codePriors } from "./priors/table.ts";
import { rules } from "./rules/table.ts";
import { type Settings, stateNames } from "./settings.ts";

/** What a step goes by. */
export type StepSettings = Pick<Settings, "prior" | "rule" | "blur" | "blurEvery" | "smallNorm" | "smallContribution">;

/** What a step works on. */
export interface StepTensors {
  /** The gradient at the codes, and the mean magnitudes that it had: a texel an item and iteration. */
  g: Tensor;
  slopes: Tensor;
  state: Tensor;
  bound: Tensor;
  /** The codes, and behind them what they were before the step; the generator's copy of the codes. */
  code: Tensor;
  input: Tensor;
  /** What the rule keeps, by name. */
  moments: Readonly<Record<string, Tensor>>;
}

/** Pieces in which the gradient's magnitude is summed where a CPU runs the shaders. */
const PARTS = 32;

/** Pieces of all frames of a film, about, and the most texels of one. */
const JOINT_PARTS = 1024;
const MOST_PART_TEXELS = 2 ** 15;

/** Invocations of a workgroup that has an item to itself, and the texels that one of them may have. */
const LANES = 256;
const MOST_TEXELS = 64;

/** A workgroup an item where that fits a GPU; else two kernels. */
export function stepCalls(
  adapter: Adapter,
  settings: StepSettings,
  geometry: CodeGeometry,
  tensors: StepTensors,
): Call[] {
  const { items, texels } = geometry;
  const { g, slopes, state, bound, code, input, moments } = tensors;
  const { step: first, last } = codePriors(settings.prior, texels, bound.texels > texels);
  const passes = passCalls(settings, geometry, tensors, last);
  const priors = passes.length > 0 || settings.prior === "learned" ? first : [...first, ...last];
  const kernel: StepKernel = { geometry, state: stateNames, rule: rules[settings.rule].wgsl, priors };
  const bindings = {
    g: read(g),
    bound: read(bound),
    code: update(code),
    input: write(input),
    slopes: write(slopes),
    ...Object.fromEntries(Object.entries(moments).map(([name, tensor]) => [name, update(tensor)])),
  };
  if (!geometry.joint && fitsGroups(adapter, items, texels)) {
    return [{
      label: "step",
      bindings: { ...bindings, state: update(state) },
      code: groupStep(kernel, LANES),
      workgroup: [LANES, 1, 1],
      grid: [items, 1, 1],
      workgroupBytes: 16 * LANES,
      flops: 0,
    }, ...passes];
  }
  const fewest = Math.max(Math.ceil(JOINT_PARTS / items), Math.ceil(texels / MOST_PART_TEXELS));
  const parts = Math.min(PARTS, texels, geometry.joint ? fewest : PARTS);
  const pieces = run("gradient magnitude", items * parts, "buffer");
  const partial = geometry.joint ? run("joint magnitude", 1, "buffer") : pieces;
  const sums = geometry.joint
    ? [texelCall("joint magnitude", { pieces }, { partial: write(partial) }, jointMagnitude(kernel, parts))]
    : [];
  return [
    texelCall("magnitude", { g }, { partial: write(pieces), state: update(state) }, magnitude(kernel, parts)),
    ...sums,
    {
      label: "step",
      bindings: { ...bindings, partial: read(partial), state: read(state) },
      code: step(kernel, parts),
      invocations: items * texels,
      flops: 0,
    },
    ...passes,
  ];
}

const fitsGroups = ({ caps }: Adapter, items: number, texels: number): boolean =>
  !caps.software && texels <= LANES * MOST_TEXELS && items <= caps.maxGroups &&
  caps.maxWorkgroupInvocations >= LANES && caps.maxWorkgroupBytes >= 16 * LANES;
