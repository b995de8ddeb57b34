/** What calls bind in double-float arithmetic. */
import { type Binding, type Call, read, write } from "../gpu/kernel.ts";
import { elementwiseDouble } from "../../shaders/double_float.ts";
import { featureMap, type Tensor } from "../gpu/tensor.ts";
import type { ReluParams } from "./activations.ts";
import { blocks, type Node } from "./op.ts";

/** The rests of the tensors that have one, under `NAME_rest`. */
export function rests(tensors: Record<string, Tensor>): Record<string, Binding> {
  const bindings: Record<string, Binding> = {};
  for (const [name, { rest }] of Object.entries(tensors)) if (rest) bindings[`${name}_rest`] = read(rest);
  return bindings;
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
  const { texels, shape: [, channels, h, w] } = bindings.y.tensor, all = { ...inputs, ...vectors };
  const withRests = (names: string[], hasRest: (name: string) => boolean) =>
    Object.fromEntries(names.filter((name) => !name.endsWith("_rest")).map((name) => [name, hasRest(name)]));
  return {
    label,
    bindings: {
      ...Object.fromEntries(Object.entries(all).map(([name, tensor]) => [name, read(tensor)])),
      ...rests(inputs),
      ...bindings,
    },
    code: elementwiseDouble(
      withRests(Object.keys(inputs), (name) => inputs[name].rest !== undefined),
      withRests(Object.keys(vectors), (name) => `${name}_rest` in vectors),
      { blocks: blocks(channels), area: h * w },
      expression,
      relu,
    ),
    invocations: texels,
    flops: 4 * texels * Object.keys(all).length,
  };
}

/** Forward calls of an op that only moves values, as `move` does: rests go the same way. */
export function moveCalls(
  { device, name, inputs }: Pick<Node, "device" | "name" | "inputs">,
  y: Binding,
  move: (label: string, inputs: readonly Tensor[], y: Binding) => Call,
): Call[] {
  const output = doubleOutput(y);
  if (!output) return [move(name, inputs, y)];
  const make = (label: string) => featureMap(device, label, y.tensor.shape);
  const moved = output.relu ? { ...make(name), rest: make(`rest of ${name}`) } : y.tensor;
  return [
    move(name, inputs, write(moved)),
    move(`${name} rest`, inputs.map(({ rest }) => rest!), write(moved.rest!)),
    ...(output.relu ? [doubleCall(`${name} ReLU`, { x: moved }, {}, output, "x")] : []),
  ];
}
