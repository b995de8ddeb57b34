/** What a rule for a type of Caffe layer is, and how rules read what many types have in common. */
import type { StoredTensor } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Message } from "./message.ts";

/** A blob's shape without its batch. */
export type Shape = readonly number[];

/** A layer without weights beside the one that does the work: a reshape or a transposition. */
export interface Step {
  type: string;
  params: Record<string, unknown>;
}

/** What becomes of a layer. */
export interface Conversion {
  type: string;
  params?: Record<string, unknown>;
  /** How many streams of its top take turns in the batch; as many as of its bottoms unless given. */
  streams?: number;
  /** What each bottom goes through before it, and its top after it, where values lie otherwise for it than for others. */
  before?: (Step | undefined)[];
  after?: Step;
  /** How many of the bottoms it reads; all unless given. */
  reads?: number;
  /** How many blobs it has; as many as the new layer has weights unless given. */
  blobs?: number;
  /** The new layer's weights by name; its blobs in their order unless given. */
  weights?: (blobs: StoredTensor[]) => Record<string, StoredTensor>;
}

/** What a rule may ask about a layer beside its bottoms' shapes. */
export interface Place {
  /** How many tops it has. */
  tops: number;
  /**
   * How many streams of its bottoms take turns in the batch. Of a blob of time × streams × … a batch here has the first
   * two axes, time first, and items of [1, …]: what is along axis 1 in Caffe is then no part of an item.
   */
  streams: number;
}

/** A type of layer. */
export interface Rule {
  /** Whether it may have bottoms of several streams: where it works on rows or single values, or asks. */
  streams?: boolean;
  /** What its parameters are called. */
  settings?: string;
  /**
   * @param shapes Of the bottoms, without the batch.
   * @returns What makes its only top, or each of them.
   * @throws UserError without the layer's place.
   */
  convert(settings: Message, shapes: readonly Shape[], place: Place): Conversion | Conversion[];
}

/** Reads an axis of a bottom, counted from the front, the batch being 0. @throws UserError unless it is there. */
export function readAxis(s: Message, [shape]: readonly Shape[], name = "axis", fallback = 1): number {
  const axis = s.integer(name, -Infinity) ?? fallback, fromFront = axis < 0 ? axis + shape.length + 1 : axis;
  if (fromFront < 0 || fromFront > shape.length) {
    throw new UserError(`"${name}" is ${axis}; its bottom has the axes 0 to ${shape.length}`);
  }
  return fromFront;
}

/** Reads an axis. @throws UserError where it is one of the batch, whose items are apart from each other. */
export function readItemAxis(s: Message, shapes: readonly Shape[], streams = 1, name = "axis"): number {
  const axis = readAxis(s, shapes, name), first = streams > 1 ? 2 : 1;
  if (axis < first) {
    const batch = streams > 1 ? "time and streams" : "the batch";
    throw new UserError(`it works along axis ${axis}, but the items of ${batch} are apart; later axes are supported`);
  }
  return axis;
}

/** Reads an axis. @throws UserError unless it is the channels'. */
export function checkAxis(s: Message, shapes: readonly Shape[], name = "axis"): void {
  const axis = readAxis(s, shapes, name);
  if (axis !== 1) throw new UserError(`it works along axis ${axis}; only the channels, axis 1, are supported`);
}

/** Reads a size of both axes: given once, once an axis, or as NAME_h and NAME_w. One number where they are equal. */
export function pair(s: Message, name: string, field: string, fallback?: number): number | number[] | undefined {
  const both = s.integers(field, 0), h = s.integer(`${name}_h`, 0), w = s.integer(`${name}_w`, 0);
  if (both.length > 2) throw new UserError(`"${field}" has ${both.length} values, expected one or two`);
  if (both.length > 0 && (h ?? w) !== undefined) throw new UserError(`"${field}" and "${name}_h" are both given`);
  const y = h ?? both[0] ?? fallback, x = w ?? both[1] ?? both[0] ?? fallback;
  if (y === undefined || x === undefined) throw new UserError(`"${field}" is missing`);
  return y === x ? (y === fallback ? undefined : y) : [y, x];
}

/** A value where it is not the default, which network.json leaves out. */
export const unless = <T>(value: T, fallback: T): T | undefined => value === fallback ? undefined : value;
