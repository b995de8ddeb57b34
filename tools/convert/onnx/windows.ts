/** How the windows of an operator move, from its attributes, and as network.json has it. */
import { UserError } from "../../../src/formats/user_error.ts";
import type { Operator } from "./operator.ts";

/** How windows move, with as many numbers as there are spatial dimensions. */
export interface Windows {
  kernel: number[];
  stride: number[];
  dilation: number[];
  before: number[];
  after: number[];
  /** True where auto_pad says what the padding is. */
  automatic: boolean;
}

/** Extent of a dilated kernel along one dimension. */
export const reach = ({ kernel, dilation }: Windows, a: number): number => dilation[a] * (kernel[a] - 1) + 1;

export const upper = (total: number, mode: string): [number, number] => {
  const less = Math.floor(total / 2);
  const more = total - less;
  return mode === "SAME_LOWER" ? [more, less] : [less, more];
};

/** The attributes of windows over `size` positions; SAME asks for ⌈size / stride⌉ windows. */
export function windows(o: Operator, kernel: readonly number[], size: readonly number[]): Windows {
  const rank = size.length;
  const mode = o.text("auto_pad", "NOTSET");
  const list = (name: string, fallback: number, length = rank) => {
    const values = o.numbers(name) ?? Array<number>(length).fill(fallback);
    if (values.length !== length || !values.every(Number.isSafeInteger)) {
      throw new UserError(`its ${name} are [${values.slice(0, 8)}], expected ${length} whole numbers`);
    }
    return values;
  };
  if (kernel.length !== rank) throw new UserError(`its kernel is [${kernel}] for a map of [${size}]`);
  const pads = list("pads", 0, 2 * rank);
  const result: Windows = {
    kernel: [...kernel],
    stride: list("strides", 1),
    dilation: list("dilations", 1),
    before: pads.slice(0, rank),
    after: pads.slice(rank),
    automatic: mode !== "NOTSET",
  };
  if (mode === "VALID") return { ...result, before: list("", 0), after: list("", 0) };
  if (mode !== "SAME_UPPER" && mode !== "SAME_LOWER") return result;
  size.forEach((n, a) => {
    const total = (Math.ceil(n / result.stride[a]) - 1) * result.stride[a] + reach(result, a) - n;
    [result.before[a], result.after[a]] = upper(Math.max(0, total), mode);
  });
  return result;
}

export const both = (values: readonly number[], rest: number): number[] =>
  values.length === 1 ? [values[0], rest] : [...values];

/** Numbers for both axes as network.json has them: one where all are the same, none where that is the usual one. */
export function short(values: readonly number[], usual?: number): number | readonly number[] | undefined {
  if (values.some((value) => value !== values[0])) return values;
  return values[0] === usual ? undefined : values[0];
}

/** Parameters of network.json for the dimensions `from` … `end` − 1, one or two. */
export const parameters = (w: Windows, from = 0, end = w.kernel.length) => ({
  kernel: short(both(w.kernel.slice(from, end), 1)),
  stride: short(both(w.stride.slice(from, end), 1), 1),
  dilation: short(both(w.dilation.slice(from, end), 1), 1),
  padding: short([...both(w.before.slice(from, end), 0), ...both(w.after.slice(from, end), 0)], 0),
});

/** Whether there is a window around each position of the dimensions `from` … `end` − 1, and it holds that alone. */
export const isSingle = ({ kernel, stride, before, after }: Windows, from: number, end: number): boolean =>
  [kernel, stride].every((list) => list.slice(from, end).every((n) => n === 1)) &&
  [before, after].every((list) => list.slice(from, end).every((n) => n === 0));
