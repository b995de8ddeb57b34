/** What calls bind in double-float arithmetic. */
import { elementwiseDouble } from "../../shaders/double_float.ts";
import { channelBlocks } from "../../shaders/texels.ts";
import { type Binding, type Call, write } from "../gpu/call.ts";
import { featureMap, type Tensor } from "../gpu/tensor.ts";
import type { ReluParams } from "./activations.ts";
import { texelCall } from "./calls.ts";
import type { Node } from "./op.ts";

/** The tensors, and under `NAME_rest` the rests of those that have one. */
export function withRests(tensors: Record<string, Tensor>): Record<string, Tensor> {
  const all = { ...tensors };
  for (const [name, { rest }] of Object.entries(tensors)) if (rest) all[`${name}_rest`] = rest;
  return all;
}

/** Whether all inputs have rests: for `keepsRest` of ops that round nothing. */
export const haveRests = ({ inputs }: Pick<Node, "inputs">): boolean => inputs.every(({ rest }) => rest !== undefined);

/** How a kernel writes values with their rests: a ReLU, which needs both, it applies itself. */
export interface DoubleOutput {
  bindings: Record<"y" | "y_rest", Binding>;
  relu?: ReluParams;
}

/** Where `y` has a rest, both as a kernel writes them. */
export function doubleOutput({ tensor, epilogue }: Binding): DoubleOutput | undefined {
  if (!tensor.rest) return undefined;
  return { bindings: { y: write(tensor), y_rest: write(tensor.rest) }, relu: epilogue?.relu };
}

/**
 * A call that makes each texel of y by a WGSL expression of Doubles: of inputs there, and of vectors of one value a channel,
 * whose rests are among them as `NAME_rest`.
 */
export function doubleCall(
  label: string,
  inputs: Record<string, Tensor>,
  vectors: Readonly<Record<string, Tensor>>,
  { bindings, relu }: DoubleOutput,
  expression: string,
): Call {
  const [, channels, h, w] = bindings.y.tensor.shape;
  const doubles = withRests(inputs);
  const layout = { blocks: channelBlocks(channels), area: h * w };
  const code = elementwiseDouble(Object.keys(doubles), Object.keys(vectors), layout, expression, relu);
  return texelCall(label, { ...doubles, ...vectors }, bindings, code, Object.keys(inputs).length);
}

/** Forward calls of an op that only moves values, as `move` does: rests go the same way. */
export function moveCalls(
  { adapter, name, inputs }: Pick<Node, "adapter" | "name" | "inputs">,
  y: Binding,
  move: (label: string, inputs: readonly Tensor[], y: Binding) => Call,
): Call[] {
  const output = doubleOutput(y);
  if (!output) return [move(name, inputs, y)];
  const make = (label: string) => featureMap(adapter, label, y.tensor.shape);
  const moved = output.relu ? { ...make(name), rest: make(`rest of ${name}`) } : y.tensor;
  return [
    move(name, inputs, write(moved)),
    move(`${name} rest`, inputs.map(({ rest }) => rest!), write(moved.rest!)),
    ...(output.relu ? [doubleCall(`${name} ReLU`, { x: moved }, {}, output, "x")] : []),
  ];
}
