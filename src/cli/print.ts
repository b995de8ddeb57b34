/**
 * What commands print: lines, on stdout what was asked for, on stderr what else is to be said. Nothing but this and progress.ts
 * writes there, and whatever a line holds from files is made printable on the way.
 */
import { printable, printableJson } from "../formats/printable.ts";
import { UserError } from "../formats/user_error.ts";
import { isBrokenPipe, reasonOf } from "./files.ts";
import { hungUp } from "./interrupt.ts";

/** Writes a line to stdout. A reader that has gone away (`| head`) ends the program quietly. */
export function print(line: string): void {
  const bytes = new TextEncoder().encode(printable(line) + "\n");
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch (error) {
    if (hungUp()) return;
    if (isBrokenPipe(error)) Deno.exit(0);
    throw new UserError(`the output cannot be written: ${reasonOf(error)}`);
  }
}

/** Writes a value to stdout as one JSON document, in a line. */
export function printJson(value: unknown): void {
  print(printableJson(value));
}

/** Writes a line to stderr. */
export function tell(line: string): void {
  const bytes = new TextEncoder().encode(printable(line) + "\n");
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // Nobody reads it any more (`2>&1 | head`, a closed terminal); the work goes on.
  }
}

/** Writes a line to stderr that tells of something the user did not expect. */
export function warn(line: string): void {
  tell(`warning: ${line}`);
}
