/** Reads a layer's parameters out of network.json, strictly: every field is checked, an unknown one is an error. */
import { show, UserError } from "../formats/user_error.ts";

/** The parameters of one layer. Each method takes a field out; `done` complains about what nobody took. */
export class Fields {
  readonly #left: Map<string, unknown>;
  /** Of the layer as network.json has it, without what all layers have. */
  constructor(fields: Record<string, unknown>) {
    this.#left = new Map(Object.entries(fields));
  }

  #take<T>(key: string, fallback: T | undefined, valid: (value: unknown) => value is T, expected: string): T {
    const value = this.#left.get(key);
    this.#left.delete(key);
    if (value === undefined) {
      if (fallback === undefined) throw new UserError(`"${key}" is missing, expected ${expected}`);
      return fallback;
    }
    if (!valid(value)) throw new UserError(`"${key}" is ${show(value)}, expected ${expected}`);
    return value;
  }

  /** A whole number ≥ `least`. */
  integer(key: string, least: number, fallback?: number): number {
    return this.#take(key, fallback, isInteger(least), `a whole number ≥ ${least}, at most ${MOST_COUNT}`);
  }

  /** A finite number ≥ `least`. */
  number(key: string, fallback?: number, least = -Infinity): number {
    const valid = (v: unknown): v is number => isFloat(v) && v >= least;
    return this.#take(key, fallback, valid, least === -Infinity ? "a number" : `a number ≥ ${least}`);
  }

  /** True or false. */
  boolean(key: string, fallback?: boolean): boolean {
    return this.#take(key, fallback, (v): v is boolean => typeof v === "boolean", "true or false");
  }

  /** One of `choices`. */
  choice<T extends string>(key: string, choices: readonly T[], fallback?: T): T {
    return this.#take(
      key,
      fallback,
      (v): v is T => choices.includes(v as T),
      choices.map((c) => `"${c}"`).join(" or "),
    );
  }

  /** One whole number for both axes, or [y, x]. */
  pair(key: string, least: number, fallback?: number): [number, number] {
    const value = this.#take<number | number[]>(
      key,
      fallback,
      isExtents(least, [2]),
      `a whole number ≥ ${least} or [y, x], at most ${MOST_EXTENT}`,
    );
    return typeof value === "number" ? [value, value] : [value[0], value[1]];
  }

  /** [top, left, bottom, right] from one whole number, [y, x], or all four. */
  sides(key: string): [number, number, number, number] {
    const value = this.#take<number | number[]>(
      key,
      0,
      isExtents(0, [2, 4]),
      `a whole number ≥ 0, [y, x] or [top, left, bottom, right], at most ${MOST_EXTENT}`,
    );
    if (typeof value === "number") return [value, value, value, value];
    return value.length === 2 ? [value[0], value[1], value[0], value[1]] : value as [number, number, number, number];
  }

  /** Finite numbers; `fallback` when the field is absent. */
  numbers(key: string, fallback?: number[]): number[] {
    return this.#take(
      key,
      fallback,
      (v): v is number[] => Array.isArray(v) && v.every(isFloat),
      "a list of numbers",
    );
  }

  /** Whether the field is there. */
  has(key: string): boolean {
    return this.#left.has(key);
  }

  /**
   * Ends the reading.
   * @throws UserError when a field is left that no one knows.
   */
  done(): void {
    const [key] = this.#left.keys();
    if (key !== undefined) throw new UserError(`unknown parameter "${key}"`);
  }
}

/** The most that a count may be, and an extent along an axis: above them kernels' integers could overflow. */
const MOST_COUNT = 2 ** 24;
const MOST_EXTENT = 2 ** 16;

const isInteger = (least: number, most = MOST_COUNT) => (v: unknown): v is number =>
  Number.isSafeInteger(v) && (v as number) >= least && (v as number) <= most;

/** Whether it is a number, and one in float32 too. */
const isFloat = (v: unknown): v is number => typeof v === "number" && Number.isFinite(Math.fround(v));

const isExtent = (least: number) => isInteger(least, MOST_EXTENT);

const isExtents = (least: number, lengths: number[]) => (v: unknown): v is number | number[] =>
  isExtent(least)(v) || (Array.isArray(v) && lengths.includes(v.length) && v.every(isExtent(least)));
