/**
 * scale, bias and batchnorm, all y = a[c] · x + b[c]. batchnorm at inference: a = γ / √(variance + ε), b = β − a · mean.
 * In a plan they are usually gone: folded into the weights of the layer before them.
 */
import { channelwiseCall } from "./calls.ts";
import { packVector } from "./conv/weights.ts";
import { doubleCall, doubleOutput } from "./double_float.ts";
import type { HostTensor, Op, PackedTensor } from "./op.ts";
import { elements } from "./way.ts";

/** Factor and shift of every channel: in double precision, so that they are rounded once, in what they end up in. */
export interface Affine {
  /** The factors. */
  a: Float64Array;
  /** The shifts; none unless given. */
  b?: Float64Array;
}

/** Parameters of scale in network.json. */
export interface ScaleParams {
  bias: boolean;
}

/** Parameters of batchnorm in network.json; `affine` says whether γ and β are there. */
export interface BatchNormParams {
  epsilon: number;
  affine: boolean;
}

function affineOp<P>(
  parse: Op<P>["parse"],
  weightNames: (params: P) => string[],
  coefficients: (weights: Record<string, HostTensor>, params: P) => Affine,
): Op<P> {
  return {
    inputs: 1,
    parse,
    affine: coefficients,
    outputShape: ([input]) => input,
    weightShapes: ([input], params) => Object.fromEntries(weightNames(params).map((name) => [name, [input[0]]])),
    pack(weights, { params, doubleFloat }) {
      const packed: Record<string, PackedTensor> = {};
      const { a, b } = coefficients(weights, params);
      for (const [name, values] of [["a", a], ["b", b]] as const) {
        if (!values) continue;
        packed[name] = packVector(new Float32Array(values));
        if (doubleFloat) packed[`${name}_rest`] = packVector(Float32Array.from(values, (v) => v - Math.fround(v)));
      }
      return packed;
    },
    keepsRest: () => true,
    forward: [elements(({ name, inputs: [x], weights }, y) => {
      const { a, b } = weights;
      const output = doubleOutput(y);
      if (!output) return [channelwiseCall(name, { x }, b ? { a, b } : { a }, y, b ? "x * a + b" : "x * a")];
      return [doubleCall(name, { x }, weights, output, b ? "plus(times(x, a), b)" : "times(x, a)")];
    })],
    backward: [
      elements(({ name, weights: { a } }, dy, [dx]) =>
        dx ? [channelwiseCall(`${name} gradient`, { dy }, { a }, dx, "dy * a")] : []
      ),
    ],
  };
}

/** The layer type `scale`. */
export const scale: Op<ScaleParams> = affineOp(
  (fields) => ({ bias: fields.boolean("bias", true) }),
  ({ bias }) => bias ? ["weight", "bias"] : ["weight"],
  ({ weight, bias }) => ({ a: new Float64Array(weight.values), b: bias && new Float64Array(bias.values) }),
);

/** The layer type `bias`. */
export const bias: Op<null> = affineOp(
  () => null,
  () => ["bias"],
  ({ bias }) => ({ a: new Float64Array(bias.values.length).fill(1), b: new Float64Array(bias.values) }),
);

/** The layer type `batchnorm`. */
export const batchnorm: Op<BatchNormParams> = affineOp(
  (fields) => ({ epsilon: fields.number("epsilon", 1e-5), affine: fields.boolean("affine", false) }),
  ({ affine }) => affine ? ["mean", "variance", "weight", "bias"] : ["mean", "variance"],
  ({ mean, variance, weight, bias }, { epsilon }) => {
    const a = Float64Array.from(variance.values, (v, c) => (weight?.values[c] ?? 1) / Math.sqrt(v + epsilon));
    return { a, b: a.map((factor, c) => (bias?.values[c] ?? 0) - factor * mean.values[c]) };
  },
);
