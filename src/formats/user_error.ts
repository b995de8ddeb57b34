import { printable } from "./printable.ts";

/** The longest message: what a file says may be of any length. */
const mostCharacters = 700;

/**
 * The one error that is the user's to mend: a bad file, argument or model. Its message is one clear sentence on one line:
 * what a file says may hold line ends and other control characters.
 */
export class UserError extends Error {
  /** Tells it from other errors, also in another realm. */
  override name = "UserError";
  /** `message` is one sentence: where, what was expected, what came. */
  constructor(message: string) {
    super(oneLine(message));
  }
}

/** A message on one line and of sensible length. */
export function oneLine(message: string): string {
  const start = printable(message.slice(0, mostCharacters));
  return message.length > mostCharacters ? `${start} …` : start;
}

/** A file's value for a message, short whatever the file says. */
export function show(value: unknown): string {
  return (JSON.stringify(value) ?? "(missing)").slice(0, 100);
}
