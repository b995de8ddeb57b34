/**
 * scale and batchnorm, both y = a[c] · x + b[c]. batchnorm at inference: a = γ / √(variance + ε), b = β − a · mean.
 * In a plan they are usually gone: folded into the weights of the layer before them.
 */
import { affine } from "../../shaders/elementwise.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import { packVector } from "./convolution.ts";
import type { HostTensor, Node, Op } from "./op.ts";

/** Factor and shift of every channel. */
export interface Affine {
  a: Float32Array<ArrayBuffer>;
  b?: Float32Array<ArrayBuffer>;
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
  const run = (
    { name, weights: { a, b } }: Node<P>,
    label: string,
    x: Node["inputs"][0],
    y: Parameters<typeof texelCall>[2]["y"],
    shifted: boolean,
  ) => {
    const [, c, h, w] = x.shape, inputs: Record<string, Tensor> = shifted ? { x, a, b } : { x, a };
    return texelCall(`${name}${label}`, inputs, { y }, affine(Math.ceil(c / 4), h * w, shifted), 2);
  };
  return {
    inputs: 1,
    parse,
    affine: coefficients,
    outputShape: ([input]) => input,
    weightShapes: ([input], params) => Object.fromEntries(weightNames(params).map((name) => [name, [input[0]]])),
    pack(weights, _, params) {
      const { a, b } = coefficients(weights, params);
      return { a: packVector(a), ...(b ? { b: packVector(b) } : {}) };
    },
    forward: (node, y) => [run(node, "", node.inputs[0], y, node.weights.b !== undefined)],
    backward: (node, dy, [dx]) => dx ? [run(node, " gradient", dy, dx, false)] : [],
  };
}

/** The layer type `scale`. */
export const scale: AffineOp<ScaleParams> = affineOp(
  (fields) => ({ bias: fields.boolean("bias", true) }),
  ({ bias }) => bias ? ["weight", "bias"] : ["weight"],
  ({ weight, bias }) => ({ a: weight.values.slice(), b: bias?.values.slice() }),
);

/** The layer type `batchnorm`. */
export const batchnorm: AffineOp<BatchNormParams> = affineOp(
  (fields) => ({ epsilon: fields.number("epsilon", 1e-5), affine: fields.boolean("affine", false) }),
  ({ affine }) => affine ? ["mean", "variance", "weight", "bias"] : ["mean", "variance"],
  ({ mean, variance, weight, bias }, { epsilon }) => {
    const a = variance.values.map((v, c) => (weight?.values[c] ?? 1) / Math.sqrt(v + epsilon));
    return {
      a: new Float32Array(a),
      b: new Float32Array(a.map((factor, c) => (bias?.values[c] ?? 0) - factor * mean.values[c])),
    };
  },
);
