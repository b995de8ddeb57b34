/** What a program asks for, checked: types say the same, but scripts have none. */
import { UserError } from "../formats/user_error.ts";

/** @throws UserError unless this is a whole number of that range. */
export function checkWhole(name: string, value: unknown, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value as number >= least && value as number <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `≥ ${least}` : `from ${least} to ${most}`;
  throw new UserError(`${name} is ${told(value)}, expected a whole number ${range}`);
}

/** @throws UserError unless this is one of these words. */
export function checkWord(name: string, value: unknown, words: readonly string[]): void {
  if (words.includes(value as string)) return;
  throw new UserError(`${name} is ${told(value)}, expected ${words.join(" or ")}`);
}

/** The names of all that a record of options may have: the compiler sees that none is missing. */
export type Names<T> = Record<keyof T, true>;

/** @throws UserError where one of these options is none that there is: most likely a slip. */
export function checkNames(of: string, options: object, names: object): void {
  const stray = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (stray === undefined) return;
  throw new UserError(`${of} has no option ${told(stray)}, expected ${Object.keys(names).join(", ")}`);
}

/** @throws UserError unless these are so many float32 values. */
export function checkFloats(name: string, values: unknown, wanted: number): asserts values is Float32Array {
  if (values === undefined) throw new UserError(`${name}: expected ${wanted} values, got none`);
  if (!(values instanceof Float32Array)) {
    throw new UserError(`${name}: expected a Float32Array of ${wanted} values, got ${told(values)}`);
  }
  if (values.length !== wanted) throw new UserError(`${name}: expected ${wanted} values, got ${values.length}`);
}

/** @throws UserError where there is no model in its place. */
export function checkModel(name: string, model: unknown): void {
  if ((model as { network?: unknown } | null | undefined)?.network) return;
  throw new UserError(`${name} is ${told(model)}, expected a model such as fetchModel and loadModel give`);
}

/** A value for a sentence, in which "3" is not 3. */
export function told(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const name = value.constructor?.name ?? "object";
  return /^[AEIOaeio]/.test(name) ? `an ${name}` : `a ${name}`;
}
