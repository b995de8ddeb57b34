/** What a rule for a type of Caffe layer is, and how rules read what many types have in common. */
import type { StoredTensor } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { type Made, Trace, type Traced } from "../onnx/trace.ts";
import { type Trained, trainedWeights } from "./blobs.ts";
import type { Message } from "./message.ts";

/** A type of layer. */
export interface Rule {
  /** Whether it may have bottoms of several streams: where it works on rows or single values, or asks. */
  streams?: true;
  /** Whether it may have bottoms whose items hold axis 0 too: as before, or where it asks for the axis. */
  whole?: true;
  /** How many bottoms it may have at least and at most; one unless given. */
  bottoms?: readonly [least: number, most: number];
  /** What its parameters are called. */
  settings?: string;
  /**
   * @returns What makes its only top, or each of them; undefined for one that is not to be had.
   * @throws UserError without the layer's place.
   */
  convert(layer: Conversion): Traced | (Traced | undefined)[];
}

/** Where a layer stands. */
export interface Place {
  /** Its blobs in the caffemodel. */
  trained?: readonly StoredTensor[];
  /** Its tops, and whether a layer reads one. */
  tops: readonly string[];
  isRead(top: string): boolean;
  /**
   * How many streams of its bottoms take turns in the batch. Of a blob of time × streams × … a batch here has the first
   * two axes, time first, and items of [1, …]: what is along axis 1 in Caffe is then no part of an item.
   */
  streams: number;
  /** Whether its bottoms' items hold axis 0 too, which is then no batch. */
  whole: boolean;
  /** Whether the network is written for a batch of one, so that each item here may be all that Caffe sees. */
  alone: boolean;
}

/** A layer as its rule sees it: what it says, and the layers that it becomes, added one by one. */
export class Conversion {
  readonly trace = new Trace(undefined, 0);
  /** The weights of layers that were trained. */
  readonly weights = new Map<Made, Record<string, StoredTensor>>();
  /** As in its place, for its tops. */
  streams: number;
  whole: boolean;

  constructor(
    /** Its parameters. */
    readonly s: Message,
    /** Its bottoms. */
    readonly xs: Traced[],
    readonly place: Place,
  ) {
    this.streams = place.streams;
    this.whole = place.whole;
  }

  /** The first bottom. */
  get x(): Traced {
    return this.xs[0];
  }

  /** Adds a layer without weights, of all bottoms unless told. */
  add(type: string, params: Record<string, unknown> = {}, inputs: readonly Traced[] = this.xs): Traced {
    return this.trace.add(type, params, inputs);
  }

  /** Adds a layer with the caffemodel's weights. @throws UserError where it has others. */
  trained(
    type: string,
    params: Record<string, unknown> = {},
    { inputs = this.xs, ...how }: Trained & { inputs?: readonly Traced[] } = {},
  ): Traced {
    const { made, weightShapes } = this.trace.place(type, params, inputs);
    this.weights.set(made, trainedWeights(how, weightShapes, this.place.trained));
    return made.output;
  }

  /** Reads an axis of the first bottom, counted from the front. @throws UserError unless it is there. */
  axis(name = "axis", fallback = 1): number {
    const axis = this.s.integer(name, -Infinity) ?? fallback;
    const last = this.x.item.length - Number(this.whole);
    const fromFront = axis < 0 ? axis + last + 1 : axis;
    if (fromFront < 0 || fromFront > last) {
      throw new UserError(`"${name}" is ${axis}; its bottom has the axes 0 to ${last}`);
    }
    return fromFront;
  }

  /** An axis as a dimension of the items. @throws UserError where it is one of the batch. */
  dimension(axis = this.axis()): number {
    if (this.whole) return axis;
    if (axis < (this.streams > 1 ? 2 : 1)) {
      const batch = this.streams > 1 ? "time and streams" : "the batch";
      throw new UserError(`it works along axis ${axis}, but the items of ${batch} are apart; later axes are supported`);
    }
    return axis - 1;
  }

  /**
   * An axis as a dimension of the items, and the bottoms, whose items take in axis 0 where it is that one: each item is then
   * all that Caffe sees. @throws UserError where the network is not written for a batch of one.
   */
  anyDimension(axis = this.axis()): { xs: Traced[]; d: number } {
    if (axis > 0 || this.whole) return { xs: this.xs, d: this.dimension(axis) };
    if (!this.place.alone) {
      throw new UserError(
        "it works along axis 0, but the items of the batch are apart, unless every input has a batch of one",
      );
    }
    this.whole = true;
    return { xs: this.xs.map((x) => this.trace.reshape(x, [1, ...x.item])), d: 0 };
  }

  /** @throws UserError unless an axis is the channels'. */
  checkChannels(name = "axis"): void {
    const axis = this.axis(name);
    if (axis !== 1) throw new UserError(`it works along axis ${axis}; only the channels, axis 1, are supported`);
  }

  /** [channels, height, width] of the first bottom. @throws UserError where it is no map. */
  map(): [number, number, number] {
    const { item } = this.x;
    if (item.length !== 3) throw new UserError(`its bottom has items of [${item}], expected [channels, height, width]`);
    return [item[0], item[1], item[2]];
  }
}

/** Reads a size of both axes: given once, once an axis, or as NAME_h and NAME_w. One number where they are equal. */
export function pair(s: Message, name: string, field: string, fallback?: number): number | number[] | undefined {
  const both = s.integers(field, 0);
  const h = s.integer(`${name}_h`, 0);
  const w = s.integer(`${name}_w`, 0);
  if (both.length > 2) throw new UserError(`"${field}" has ${both.length} values, expected one or two`);
  if (both.length > 0 && (h ?? w) !== undefined) throw new UserError(`"${field}" and "${name}_h" are both given`);
  const y = h ?? both[0] ?? fallback;
  const x = w ?? both[1] ?? both[0] ?? fallback;
  if (y === undefined || x === undefined) throw new UserError(`"${field}" is missing`);
  return y === x ? (y === fallback ? undefined : y) : [y, x];
}

/** A value where it is not the default, which network.json leaves out. */
export const unless = <T>(value: T, fallback: T): T | undefined => value === fallback ? undefined : value;
