/** The calls that end an iteration: how large the gradient is, then the step of the codes. */
import type { Adapter } from "../gpu/adapter.ts";
import { type Call, read, update, write } from "../gpu/call.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import { texelCall } from "../ops/calls.ts";
import { type CodeGeometry, groupStep, magnitude, type Rule, step } from "../../shaders/search.ts";

/** What a step works on. */
export interface StepTensors {
  /** The gradient at the codes. */
  g: Tensor;
  state: Tensor;
  bound: Tensor;
  /** The codes, and the generator's copy of them. */
  code: Tensor;
  input: Tensor;
  /** Of the rule `adam`. */
  moments?: { m: Tensor; v: Tensor };
}

/** Pieces in which the gradient's magnitude is summed where a CPU runs the shaders. */
const PARTS = 32;

/** Invocations of a workgroup that has an item to itself, and the texels that one of them may have. */
const LANES = 256;
const MOST_TEXELS = 64;

/** A workgroup an item where that fits a GPU; else two kernels. */
export function stepCalls(
  adapter: Adapter,
  rule: Rule,
  items: number,
  geometry: CodeGeometry,
  { g, state, bound, code, input, moments }: StepTensors,
): Call[] {
  const { texels } = geometry;
  const bindings = {
    g: read(g),
    bound: read(bound),
    code: update(code),
    input: write(input),
    ...(moments ? { m: update(moments.m), v: update(moments.v) } : {}),
  };
  if (fitsGroups(adapter, items, texels)) {
    return [{
      label: "step",
      bindings: { ...bindings, state: update(state) },
      code: groupStep(rule, geometry, LANES),
      workgroup: [LANES, 1, 1],
      grid: [items, 1, 1],
      workgroupBytes: 16 * LANES,
      flops: 0,
    }];
  }
  const parts = Math.min(PARTS, texels), partial = run("gradient magnitude", items * parts, "buffer");
  return [
    texelCall("magnitude", { g }, { partial: write(partial), state: update(state) }, magnitude(geometry, parts)),
    {
      label: "step",
      bindings: { ...bindings, partial: read(partial), state: read(state) },
      code: step(rule, geometry, parts),
      invocations: items * texels,
      flops: 0,
    },
  ];
}

const fitsGroups = ({ caps }: Adapter, items: number, texels: number): boolean =>
  !caps.software && texels <= LANES * MOST_TEXELS && items <= caps.maxGroups &&
  caps.maxWorkgroupInvocations >= LANES && caps.maxWorkgroupBytes >= 16 * LANES;
