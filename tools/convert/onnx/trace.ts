/**
 * The layers that a model's operators become, while they are put together.
 *
 * network.json leaves the batch out, ONNX does not. Either axis 0 of every computed value is the batch, and items are
 * what is left (`batched`), or the whole tensor is one item. An operator that cannot keep axis 0 apart throws NotBatched,
 * and the model is traced again as a whole.
 */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { makeLayer } from "../../../src/net/graph.ts";
import type { OnnxTensor } from "./tensor.ts";

/** Values of a tensor past which it is a mistake. */
const MOST_VALUES = 2 ** 26;

/** Channels past which one number for all of them is not written once for each. */
const MANY_CHANNELS = 2 ** 16;

/** A layer that was made. */
export interface Made {
  type: string;
  params: Record<string, unknown>;
  inputs: Traced[];
  weights: Record<string, Weight>;
  output: Traced;
}

/** The numbers of a weight of a layer. */
export interface Weight {
  shape: number[];
  values: ArrayLike<number>;
}

/** A value that is computed when the network runs. */
export interface Traced {
  /** Its shape without the batch. */
  readonly item: readonly number[];
  /** The layer that computes it; absent of an input of the network. */
  readonly maker?: Made;
  /** The input's name. */
  readonly input?: string;
}

/** A value that is known, or one that is computed. */
export type Operand = OnnxTensor | Traced;

/** Whether a value is computed. */
export const isTraced = (value: Operand | undefined): value is Traced => value !== undefined && "item" in value;

/** Thrown where an operator does not keep axis 0 apart. */
export class NotBatched extends Error {}

/** Layers in the order in which they were made, and how axis 0 is meant. */
export class Trace {
  readonly layers: Made[] = [];
  #left: number;

  /**
   * @param batch The batch's size where axis 0 is the batch, undefined where the whole tensor is one item.
   * @param bytes The size of the file, which says how many values it may take to fold what is known.
   */
  constructor(readonly batch: number | undefined, bytes: number) {
    this.#left = MOST_VALUES + bytes;
  }

  /** Counts values that were folded. @throws UserError where they are more than any such file needs. */
  spend(values: number): void {
    this.#left -= values;
    if (this.#left < 0) throw new UserError("what is known of this model unfolds to far more than the file holds");
  }

  /** A value's shape in the model. */
  shapeOf(value: Operand): readonly number[] {
    if (!isTraced(value)) return value.shape;
    return this.batch === undefined ? value.item : [this.batch, ...value.item];
  }

  /** The dimension of an item that is a tensor's dimension `axis`. @throws NotBatched for the batch. */
  itemAxis(axis: number): number {
    if (this.batch === undefined) return axis;
    if (axis === 0) throw new NotBatched();
    return axis - 1;
  }

  /** The item of a tensor's shape. @throws NotBatched unless its first dimension is the batch. */
  itemOf(shape: readonly number[]): number[] {
    if (this.batch === undefined) return [...shape];
    if (shape[0] !== this.batch) throw new NotBatched();
    return shape.slice(1);
  }

  /** Adds a layer. @throws UserError where its inputs or weights do not fit. */
  add(
    type: string,
    params: Record<string, unknown>,
    inputs: readonly Traced[],
    weights: Record<string, ArrayLike<number>> = {},
  ): Traced {
    const { made, weightShapes } = this.place(type, params, inputs);
    for (const [key, shape] of Object.entries(weightShapes)) {
      const wanted = valueCount(shape);
      const came = weights[key]?.length;
      if (came !== wanted) throw new UserError(`its ${key} has ${came ?? "no"} values, expected [${shape}]`);
      made.weights[key] = { shape: [...shape], values: weights[key] };
    }
    return made.output;
  }

  /** Adds a layer without its weights, and says what shapes they have. @throws UserError where its inputs do not fit. */
  place(type: string, params: Record<string, unknown>, inputs: readonly Traced[]) {
    const values = inputs.map(({ item }) => ({ name: "", shape: item }));
    const { output: { shape }, weightShapes } = makeLayer("", type, params, values, () => {
      throw new Error("weights are read by the runtime only");
    });
    if (valueCount(shape) > MOST_VALUES) {
      throw new UserError(`its output of [${shape}] is larger than any network's`);
    }
    const output: { item: readonly number[]; maker?: Made } = { item: shape };
    const made: Made = { type, params, inputs: [...inputs], weights: {}, output };
    output.maker = made;
    this.layers.push(made);
    return { made, weightShapes };
  }

  /** The same values under another item shape. */
  reshape(x: Traced, item: readonly number[]): Traced {
    if (item.join() === x.item.join()) return x;
    const source = x.maker?.type === "reshape" ? x.maker.inputs[0] : x;
    if (item.join() === source.item.join()) return source;
    return this.add("reshape", { shape: [...item] }, [source]);
  }

  /** The item's dimensions in another order. */
  transpose(x: Traced, order: readonly number[]): Traced {
    if (x.maker?.type === "transpose") {
      const before = x.maker.params.order as number[];
      return this.transpose(x.maker.inputs[0], order.map((d) => before[d]));
    }
    const item = order.map((d) => x.item[d]);
    const long = order.filter((d) => x.item[d] > 1);
    if (long.every((d, n) => n === 0 || d > long[n - 1])) return this.reshape(x, item); // only ones move
    return this.add("transpose", { order: [...order] }, [x]);
  }

  /**
   * What `run` makes of a value: of a transposed one before it is transposed, for a transposition that goes on may meet its
   * opposite. `order` has the dimension of what `run` sees for each of the value's.
   */
  beneath(x: Traced, run: (x: Traced, order: readonly number[]) => Traced): Traced {
    if (x.maker?.type !== "transpose") return run(x, x.item.map((_, d) => d));
    const order = x.maker.params.order as number[];
    return this.transpose(run(x.maker.inputs[0], order), order);
  }

  /** What `run` makes of a value whose dimension `axis` has been brought to the front, put back. */
  alongFirst(xs: readonly Traced[], axis: number, run: (xs: Traced[]) => Traced): Traced {
    const rank = xs[0].item.length;
    const order = [axis, ...Array.from({ length: rank }, (_, d) => d).filter((d) => d !== axis)];
    const y = run(xs.map((x) => this.transpose(x, order)));
    return this.transpose(y, order.map((_, d) => order.indexOf(d)));
  }

  /**
   * What `run` makes of each item of the batch, for operators whose axis 0 is always one.
   * @throws UserError where the whole tensor is one item and has several of these.
   */
  perItem(x: Traced, run: (x: Traced) => Traced): Traced {
    if (this.batch !== undefined) return run(x);
    if (x.item[0] !== 1) {
      throw new UserError(
        `its input [${x.item}] is a batch of ${
          x.item[0] ?? 0
        }, which another operator of this model does not keep apart; ` +
          "give the model a batch of 1 with --shape",
      );
    }
    const y = run(this.reshape(x, x.item.slice(1)));
    return this.reshape(y, [1, ...y.item]);
  }

  /** A value that is computed; a known one becomes a layer. `rank` is that of the values it meets. */
  computed(value: Operand, rank: number): Traced {
    return isTraced(value) ? value : this.add("constant", { shape: this.#itemOfKnown(value, rank) }, [], {
      value: value.values,
    });
  }

  /** y = factor · x + shift, for each channel or for all; a factor of one is left out. */
  affine(x: Traced, factor: ArrayLike<number> | 1, shift?: ArrayLike<number>): Traced {
    const forAll = [factor, shift].every((from) => from === 1 || from === undefined || from.length === 1);
    const apart = x.item.length > 0 && !(forAll && x.item[0] > MANY_CHANNELS);
    const source = apart ? x : this.reshape(x, [1, valueCount(x.item)]);
    const [channels] = source.item;
    const each = (from: ArrayLike<number>) =>
      from.length === 1 ? new Float32Array(channels).fill(from[0]) : Float32Array.from(from);
    const bias = shift && { bias: each(shift) };
    const y = factor === 1
      ? this.add("bias", {}, [source], bias)
      : this.add("scale", { bias: bias !== undefined }, [source], { weight: each(factor), ...bias });
    return this.reshape(y, x.item);
  }

  /**
   * A known value that stretches along all dimensions of x but its channels: one number, or one for each channel.
   * Undefined where it is another.
   */
  perChannel(value: Operand, x: Traced): ArrayLike<number> | undefined {
    if (isTraced(value)) return undefined;
    if (value.values.length === 1) return value.shape.length <= this.shapeOf(x).length ? value.values : undefined;
    const item = this.#itemOfKnown(value, this.shapeOf(x).length);
    const [channels, ...rest] = x.item;
    const fits = item.length === x.item.length && item[0] === channels && item.slice(1).every((n) => n === 1);
    return fits && rest.length === item.length - 1 ? value.values : undefined;
  }

  /** The item of a known value that meets values of `rank` dimensions, the same for every item of the batch. */
  #itemOfKnown({ shape }: OnnxTensor, rank: number): number[] {
    if (this.batch === undefined || shape.length < rank) return [...shape];
    if (shape[0] !== 1) throw new NotBatched();
    return shape.slice(1);
  }
}
