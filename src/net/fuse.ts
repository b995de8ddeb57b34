/**
 * Fusion on the graph: which layers remain, what each applies to its output, and whose memory each value is.
 *
 *   views                      the output is the input's texels under another name
 *   conv, deconv, fc + scale   one layer with other weights (scale, batch norm: y = a · x + b)
 *   fc + reshape               one layer whose values come in the order of the map's texels, where asked for
 *   anything + ReLU            the layer stores max(x, 0) (or the leaky form), unless its gradient needs its own output
 *
 * A value is only fused away when one layer reads it and nobody wants to see it.
 */
import type { Epilogue } from "../gpu/call.ts";
import type { Affine } from "../ops/affine.ts";
import { type AffineFold, chw, type HostTensor, lazyTensor, type Op, type Shape } from "../ops/op.ts";
import { type Graph, hostWeights, type Layer, neededLayers, type Value } from "./graph.ts";
import { reordered, texelOrder } from "./reorder.ts";

/** A layer as it will run. */
export interface FusedLayer {
  /** That of the first of the layers that it is made of. */
  name: string;
  /** Its op. */
  op: Op;
  /** The op's fields, as its `parse` gave them. */
  params: unknown;
  /** What it reads. */
  inputs: Value[];
  /** The inputs' shapes as the layer sees them, where a view has given them others. */
  shapes: readonly Shape[];
  /** What it writes, after all that is fused into it. */
  output: Value;
  /** The leaky or plain ReLU that its kernel applies while storing. */
  relu?: Epilogue["relu"];
  /** The affine layers after it that are folded into its weights. */
  affine?: () => Affine;
  /** The reshape after it that is folded into its weights: for each of their rows, its number before. */
  order?: Uint32Array;
  /** Its weights on the host, folded. */
  weights(): Record<string, HostTensor>;
}

/** Prunes a graph and fuses what it may; `resolve` gives the value whose memory holds a value. */
export function fuse(
  graph: Graph,
  wanted: readonly Value[],
  { relu, affine, order = false }: { relu: boolean; affine: boolean; order?: boolean },
): { layers: FusedLayer[]; resolve: (value: Value) => Value } {
  const live = neededLayers(graph, wanted);
  const alias = new Map<Value, Value>();
  const resolve = (value: Value): Value => {
    let own = value;
    for (let next = alias.get(own); next; next = alias.get(own)) own = next;
    return own;
  };
  for (const layer of live) if (isView(layer)) alias.set(layer.output, resolve(layer.inputs[0]));

  const readers = new Map<Value, number>();
  for (const layer of live) {
    if (isView(layer)) continue;
    for (const input of layer.inputs) readers.set(resolve(input), (readers.get(resolve(input)) ?? 0) + 1);
  }
  const seen = new Set(wanted.map(resolve));
  const result: FusedLayer[] = [];
  const makers = new Map<Value, FusedLayer>();
  for (const layer of live) {
    if (isView(layer)) continue;
    const inputs = layer.inputs.map(resolve);
    const before = makers.get(inputs[0]);
    const onlyReader = before !== undefined && readers.get(inputs[0]) === 1 && !seen.has(inputs[0]);
    const alone = onlyReader && !before.relu;
    const fold = affine && alone && !before.order && layer.op.affine && before.op.foldsAffine?.(before.params);
    if (fold) {
      makers.set(layer.output, Object.assign(before, foldIn(before, fold, layer), { output: layer.output }));
    } else if (relu && alone && layer.op.epilogue && !before.op.gradientReadsOutput) {
      makers.set(layer.output, Object.assign(before, layer.op.epilogue(layer.params), { output: layer.output }));
    } else if (order && onlyReader && layer.op.keepsValues && hasFreeRows(before) && texelOrder(layer.output.shape)) {
      makers.set(layer.output, Object.assign(before, { order: texelOrder(layer.output.shape), output: layer.output }));
    } else {
      const own: FusedLayer = {
        name: layer.name,
        op: layer.op,
        params: layer.params,
        inputs,
        shapes: layer.inputs.map((input) => input.shape),
        output: layer.output,
        weights() {
          const weights = folded(own, hostWeights(layer));
          return own.order ? reordered(weights, own.order) : weights;
        },
      };
      makers.set(layer.output, own);
      result.push(own);
    }
  }
  return { layers: result, resolve };
}

function isView(layer: Layer): boolean {
  return layer.op.isView?.(layer.inputs.map((input) => input.shape as Shape), layer.params) ?? false;
}

/** Whether each row of a layer's weights makes one value of an item, and any of them could. */
function hasFreeRows({ op, params, output, order }: FusedLayer): boolean {
  const [, h, w] = chw(output.shape);
  const fold = op.foldsAffine?.(params);
  return fold?.dimension === "rows" && h * w === 1 && fold.groups === 1 && !order;
}

/** What changes of a convolution or fc when the affine layer after it is folded in: y = a · (a₀ · x + b₀) + b. */
function foldIn(
  before: FusedLayer,
  { biased }: AffineFold<unknown>,
  layer: Layer,
): Pick<FusedLayer, "params" | "affine"> {
  const earlier = before.affine;
  return {
    params: biased,
    affine() {
      const { a, b } = layer.op.affine!(hostWeights(layer), layer.params);
      const first = earlier?.();
      if (!first) return { a, b };
      return {
        a: a.map((factor, c) => factor * first.a[c]),
        b: a.map((factor, c) => factor * (first.b?.[c] ?? 0) + (b?.[c] ?? 0)),
      };
    },
  };
}

/** A layer's weights with the affine layers after it folded in: each is rounded once. */
function folded(layer: FusedLayer, weights: Record<string, HostTensor>): Record<string, HostTensor> {
  const affine = layer.affine?.();
  const fold = layer.op.foldsAffine?.(layer.params);
  if (!affine || !fold) return weights;
  return {
    weight: scaled(weights.weight, affine.a, fold),
    bias: shifted(weights.bias, affine),
  };
}

/** Weights whose output channels are multiplied by `a`. */
function scaled(weight: HostTensor, a: Float64Array, { dimension, groups }: AffineFold<unknown>): HostTensor {
  const { shape, quantised } = weight;
  const [rows, columns] = shape;
  const rest = weight.shape.slice(2).reduce((x, y) => x * y, 1);
  const byRows = quantised && dimension === "rows"
    ? {
      stored: weight.stored,
      quantised: { ...quantised, scales: quantised.scales.map((scale, row) => scale * a[row]) },
    }
    : { stored: "F32" as const };
  return lazyTensor({ shape, ...byRows }, () => {
    const values = weight.values.slice();
    for (let n = 0; n < values.length; n++) {
      const row = Math.floor(n / (columns * rest));
      const column = Math.floor(n / rest) % columns;
      values[n] *= a[dimension === "rows" ? row : Math.floor(row / (rows / groups)) * columns + column];
    }
    return values;
  });
}

function shifted(bias: HostTensor | undefined, { a, b }: Affine): HostTensor {
  const values = Float32Array.from(a, (factor, c) => factor * (bias?.values[c] ?? 0) + (b?.[c] ?? 0));
  return { shape: [values.length], stored: "F32", values };
}
