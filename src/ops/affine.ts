/**
 * scale, bias and batchnorm, all y = a[c] · x + b[c]. batchnorm at inference: a = γ / √(variance + ε), b = β − a · mean.
 * In a plan they are usually gone: folded into the weights of the layer before them.
 */
import { channelwiseCall } from "./calls.ts";
import { packVector } from "./convolution.ts";
import type { HostTensor, Op } from "./op.ts";

/** Factor and shift of every channel: in double precision, so that they are rounded once, in what they end up in. */
export interface Affine {
  a: Float64Array;
  b?: Float64Array;
}

/** An op that can be folded into the one before it. */
export interface AffineOp<P> extends Op<P> {
  /** Its factor and shift, from its weights. */
  affine(weights: Record<string, HostTensor>, params: P): Affine;
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
  coefficients: AffineOp<P>["affine"],
): AffineOp<P> {
  return {
    inputs: 1,
    parse,
    affine: coefficients,
    outputShape: ([input]) => input,
    weightShapes: ([input], params) => Object.fromEntries(weightNames(params).map((name) => [name, [input[0]]])),
    pack(weights, _, params) {
      const { a, b } = coefficients(weights, params);
      return { a: packVector(new Float32Array(a)), ...(b ? { b: packVector(new Float32Array(b)) } : {}) };
    },
    forward: ({ name, inputs: [x], weights }, y) => [
      channelwiseCall(name, { x }, weights, y, weights.b ? "x * a + b" : "x * a"),
    ],
    backward: ({ name, weights: { a } }, dy, [dx]) =>
      dx ? [channelwiseCall(`${name} gradient`, { dy }, { a }, dx, "dy * a")] : [],
  };
}

/** The layer type `scale`. */
export const scale: AffineOp<ScaleParams> = affineOp(
  (fields) => ({ bias: fields.boolean("bias", true) }),
  ({ bias }) => bias ? ["weight", "bias"] : ["weight"],
  ({ weight, bias }) => ({ a: new Float64Array(weight.values), b: bias && new Float64Array(bias.values) }),
);

/** The layer type `bias`. */
export const bias: AffineOp<null> = affineOp(
  () => null,
  () => ["bias"],
  ({ bias }) => ({ a: new Float64Array(bias.values.length).fill(1), b: new Float64Array(bias.values) }),
);

/** The layer type `batchnorm`. */
export const batchnorm: AffineOp<BatchNormParams> = affineOp(
  (fields) => ({ epsilon: fields.number("epsilon", 1e-5), affine: fields.boolean("affine", false) }),
  ({ affine }) => affine ? ["mean", "variance", "weight", "bias"] : ["mean", "variance"],
  ({ mean, variance, weight, bias }, { epsilon }) => {
    const a = Float64Array.from(variance.values, (v, c) => (weight?.values[c] ?? 1) / Math.sqrt(v + epsilon));
    return { a, b: a.map((factor, c) => (bias?.values[c] ?? 0) - factor * mean.values[c]) };
  },
);
