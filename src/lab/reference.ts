/** What a planned layer should compute, in float64: the tests' plain loops, with what a plan fuses into its kernels. */
import type { PlannedLayer } from "../net/backward.ts";
import { typeOf } from "../ops/table.ts";
import { type Layer, referenceOp } from "../../tests/reference/network.ts";
import { type Tensor, tensor } from "../../tests/reference/tensor.ts";

/** The values of a layer's tensors, item after item in NCHW order. */
export interface LayerValues {
  inputs: readonly Float32Array[];
  /** The gradient at its output, where one is wanted. */
  dy?: Float32Array;
}

/** What comes out. A gradient is undefined where the plan wants none. */
export interface LayerResults {
  y: Float64Array;
  dx: readonly (Float64Array | undefined)[];
}

/** Computes so many items. */
export function referenceOf(planned: PlannedLayer, values: LayerValues, items: number): LayerResults {
  const { layer, ends } = planned;
  const { relu, order } = layer;
  const op = referenceOp(typeOf(layer.op));
  const params = layer.params as Layer;
  const weights = Object.fromEntries(
    Object.entries(layer.weights()).map(([name, { shape, values }]) => [name, tensor([...shape], values)]),
  );
  const inputs = values.inputs.map((x, n) => tensor([items, ...layer.shapes[n]], x));
  const made = op.forward(inputs, params, weights);
  const y = relu ? made.data.map((value) => value > 0 ? value : relu.slope * value) : made.data;
  if (!values.dy || !ends) return { y: order ? inMapOrder(y, order) : y, dx: [] };
  const dy = order ? inRowOrder(values.dy, order) : values.dy;
  const slopes = op.backward(inputs, made, tensor(made.shape, dy), params, weights).inputs;
  return {
    y: order ? inMapOrder(y, order) : y,
    dx: ends.dx.map((binding, n) => binding && masked(slopes[n], values.inputs[n], binding.epilogue?.mask?.slope)),
  };
}

/** A gradient behind the ReLU that made its value. */
const masked = ({ data }: Tensor, value: Float32Array, slope: number | undefined): Float64Array =>
  slope === undefined ? data : data.map((own, n) => value[n] > 0 ? own : slope * own);

/** Values of rows in the places where a map has them: `order` says for each row its number before. */
function inMapOrder(rows: Float64Array, order: Uint32Array): Float64Array {
  const map = new Float64Array(rows.length);
  rows.forEach((value, n) => map[n - n % order.length + order[n % order.length]] = value);
  return map;
}

const inRowOrder = (map: Float32Array, order: Uint32Array): Float32Array =>
  map.map((_, n) => map[n - n % order.length + order[n % order.length]]);
