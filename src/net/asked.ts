/** What a program asks for, checked: types say the same, but scripts have none. */
import { UserError } from "../formats/user_error.ts";

/** @throws UserError unless this is a whole number of that range. */
export function checkWhole(name: string, value: unknown, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value as number >= least && value as number <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `≥ ${least}` : `from ${least} to ${most}`;
  throw new UserError(`${name} is ${told(value)}, expected a whole number ${range}`);
}

/** A value for a sentence, in which "3" is not 3. */
export function told(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) return `an ${value.constructor?.name ?? "object"}`;
  return typeof value === "function" ? "a function" : String(value);
}
