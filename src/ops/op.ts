/**
 * What an op is: a rule for shapes, the weights it wants, and its kernels forward and backward as plain `Call`s.
 *
 * Ops never touch the device's memory or queue. They name tensors, those in between and those kept for the gradient
 * too; a plan places them all, fuses what it can into the bindings (`write` carries an epilogue) and submits.
 */
import type { Adapter } from "../gpu/adapter.ts";
import type { Epilogue } from "../gpu/call.ts";
import type { Format, Shape4, Tensor } from "../gpu/tensor.ts";
import { UserError } from "../formats/user_error.ts";
import type { Affine } from "./affine.ts";
import type { Fields } from "./fields.ts";
import type { Spots } from "./spots.ts";
import type { Backward, Forward, Way } from "./way.ts";
import type { WeightGradients } from "./conv/weight_gradient.ts";

/**
 * The shape of one item: [channels, height, width] for a map, [features] for a vector, [] for a single number, or of any
 * rank up to five. Kernels see the first dimension as channels, the second as rows and all others together as columns.
 */
export type Shape = readonly number[];

/** A weight on the host, row = first dimension. Integers come with one scale per row. */
export interface HostTensor {
  /** As the weights file says, rows first. */
  readonly shape: readonly number[];
  /** How the file stores it. */
  readonly stored: "F32" | "F16" | "I8";
  /** The numbers, dequantised; made when first asked for where the file stores them otherwise. */
  readonly values: Float32Array;
  /** The integers and scales behind `values` when stored is I8. */
  readonly quantised?: { integers: Int8Array; scales: Float32Array };
}

/** A host tensor whose numbers are made when first asked for: many layers are planned before one is uploaded. */
export function lazyTensor(tensor: Omit<HostTensor, "values">, make: () => Float32Array): HostTensor {
  let values: Float32Array | undefined;
  return {
    ...tensor,
    get values() {
      return values ??= make();
    },
  };
}

/** Texels for upload. */
export interface PackedTensor {
  /** How many they are. */
  readonly texels: number;
  /** How values are stored. */
  readonly format: Format;
  /** Large ones are packed when asked for, each time anew. */
  readonly bytes: Uint8Array;
}

/** How weights are stored on the GPU; `stored` keeps what the file has. */
export type WeightStorage = "stored" | Format;

const storedAs = { F32: "f32", F16: "f16", I8: "i8" } as const;

/**
 * What sums of products may be computed in: convolutions, fc and the products with an lstm's inputs take f16 where they may,
 * forward. Gradients stay in f32, as everything else does: f16 has no numbers below 6e-8.
 */
export const arithmetics = ["f32", "f16"] as const;

/** One of them. */
export type Arithmetic = typeof arithmetics[number];

/** How the GPU stores a weight. */
export function formatOf({ stored }: HostTensor, storage: WeightStorage): Format {
  return storage === "stored" ? storedAs[stored] : storage;
}

/** The same for each of a layer's weights. */
export const formatsOf = (weights: Record<string, HostTensor>, storage: WeightStorage): Record<string, Format> =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, formatOf(weight, storage)]));

/** What is to be computed: a layer whose tensors have no memory yet, and whose weights are still the host's. */
export interface Task<P = unknown> {
  /** What it will run on. */
  readonly adapter: Adapter;
  /** The layer's fields, as the op's `parse` gave them. */
  readonly params: P;
  /** What it reads, in the order of the layer's inputs. */
  readonly inputs: readonly Tensor[];
  /** The inputs' item shapes, which may have more dimensions than their tensors. */
  readonly shapes: readonly Shape[];
  /** What it writes. */
  readonly output: Tensor;
  /** How its weights are stored on the GPU, by the name after `LAYER.`; their numbers stay with the host. */
  readonly formats: Readonly<Record<string, Format>>;
  /** How weights were asked to be stored. */
  readonly storage: WeightStorage;
  /** Whether weights may be kept in any form that serves: they are not trained, and nobody compares with plain ones. */
  readonly anyForm: boolean;
  /** Forward, compute in double-float arithmetic. */
  readonly doubleFloat: boolean;
  /** What sums are computed in where not in double-float arithmetic. */
  readonly arithmetic: Arithmetic;
  /** Where all of the gradient at its output is that is not zero, if somebody knows. */
  readonly spots?: Spots;
  /** A ReLU that is off lets the gradient through where it would turn it on. */
  readonly redirect?: boolean;
}

/** A layer, ready to be turned into calls. */
export interface Node<P = unknown> extends Task<P> {
  /** The layer's. */
  readonly name: string;
  /** Weights on the GPU under the names that `pack` gave them. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Where forward notes the tensors that it keeps for backward. Absent when no gradient is wanted. */
  readonly saved?: Record<string, Tensor>;
}

/** Rows or columns of an input; numbers past its edges are padding. */
export type Reach = readonly number[] | "all";

/** A row (axis 0) or column (axis 1) of an output. */
export interface Position {
  /** 0 for a row, 1 for a column. */
  axis: 0 | 1;
  /** Its number. */
  at: number;
}

/**
 * A layer type. `P` is what `parse` makes of its parameters in network.json.
 *
 * Nothing outside an op's file knows it by name: what plans and models have to know of it, it says itself.
 */
export interface Op<P = unknown> {
  /** Reads the parameters. @throws UserError on a missing, unknown or impossible one. */
  parse(fields: Fields): P;
  /** How many inputs: exactly `inputs`, or at least one when absent. */
  readonly inputs?: number;
  /** Shape of the output. @throws UserError when the inputs do not fit. */
  outputShape(inputs: readonly Shape[], params: P): Shape;
  /**
   * Refuses, before anything is allocated or run for them, sizes for which no time or memory is enough.
   * @throws UserError when its kernels would have to visit too much for one value, or its calls were too many.
   */
  checkLimits?(inputs: readonly Shape[], output: Shape, params: P): void;
  /** Shapes of the weights by the name after `LAYER.`. */
  weightShapes?(inputs: readonly Shape[], params: P): Record<string, readonly number[]>;
  /** Weights into texels, in the form that its ways ask for. */
  pack?(weights: Record<string, HostTensor>, task: Task<P>, form: string): Record<string, PackedTensor>;
  /** True when the output is the input's memory under another shape: no kernel runs. */
  isView?(inputs: readonly Shape[], params: P): boolean;
  /** An activation: each value is a function of the one at its place, and no straight line. */
  readonly isActivation?: true;
  /** Its output has the input's values in their order, under whatever shape. */
  readonly keepsValues?: true;
  /**
   * For each input, the rows or columns that one of the output is made of. Unless given, they are the same one of an input that has
   * as many, and all of another.
   */
  reads?(position: Position, inputs: readonly Shape[], output: Shape, params: P): readonly Reach[];
  /** Its output is probabilities, one distribution over the channels of each position, or their logarithms. */
  readonly normalises?: "softmax" | "logsoftmax";
  /** True when the items of a batch are the steps of one sequence, not apart from each other. */
  isSequence?(params: P): boolean;
  /** Of its inputs the one, where it is there, that is 0 at steps that begin a sequence and 1 at those that go on with it. */
  marker?<T>(inputs: readonly T[]): T | undefined;
  /** The parameters with which all items are one sequence, where they are several that take turns. @throws UserError where they cannot be. */
  asOne?(params: P): P;
  /** In double-float arithmetic: whether y comes with its rest. */
  keepsRest?(task: Pick<Task<P>, "inputs" | "shapes" | "params">): boolean;
  /** The ways to its output. */
  readonly forward: readonly Way<P, Forward<P>>[];
  /** The ways to the gradients of its inputs. */
  readonly backward: readonly Way<P, Backward<P>>[];
  /** Its gradient reads `node.output`: no epilogue may change what is stored there, or the gradient would be wrong. */
  readonly gradientReadsOutput?: true;
  /** The gradients to its weights, for the ops that can be trained. */
  weightGradients?(node: Node<P>, dy: Tensor): WeightGradients;
  /** What the kernel of the layer before it can apply while storing: then this op runs no kernel of its own. */
  epilogue?(params: P): Required<Pick<Epilogue, "relu">>;
  /** It is y = a[c] · x + b[c]: these factors and shifts, which the layer before it may take into its weights. */
  affine?(weights: Record<string, HostTensor>, params: P): Affine;
  /** How an affine layer after it can be folded into its weights, where it can. */
  foldsAffine?(params: P): AffineFold<P> | undefined;
  /** Those of its weights that a file may keep in fewer bits: matrices and kernels, not biases. */
  readonly narrows?: readonly string[];
}

/** A layer's weights as an affine layer after it sees them: y is linear in `weight` and in what `bias` adds to a channel. */
export interface AffineFold<P> {
  /** The dimension of `weight` that counts output channels: its columns are those of each group. */
  readonly dimension: "rows" | "columns";
  /** How many groups its channels are in. */
  readonly groups: number;
  /** Its parameters with a bias. */
  readonly biased: P;
}

/** Dimensions that the shape of an item may have. */
export const MOST_DIMENSIONS = 5;

/** [c, h, w] of a shape; a vector is c channels of one pixel. */
export function chw([channels = 1, height = 1, ...columns]: Shape): [number, number, number] {
  return [channels, height, count(columns)];
}

/** [c, h, w] of an item's units. One stream of features, [1, features], has as many units as features. */
export function unitMap(shape: Shape): [number, number, number] {
  return chw(shape.length === 2 && shape[0] === 1 ? [shape[1]] : shape);
}

/** The 4-d shape of a batch of items. */
export function batched(batch: number, shape: Shape): Shape4 {
  return [batch, ...chw(shape)];
}

/** Number of values of one item. */
export const count = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** A shape in words. */
export const show = (shape: readonly number[]): string => shape.join("×");

/** @throws UserError unless the shape is a map [c, h, w]. */
export function needMap(shape: Shape): [number, number, number] {
  if (shape.length !== 3) throw new UserError(`expected a [channels, height, width] input, got [${shape}]`);
  return chw(shape);
}
