/** A program that saves files, two that belong together at a time, until a signal ends it. The argument is the folder. */
import { join } from "node:path";
import { abortOnSignal, hearToTheEnd, lastStopCode } from "../../src/cli/interrupt.ts";
import { Outputs } from "../../src/cli/outputs/outputs.ts";
import { print } from "../../src/cli/print.ts";

hearToTheEnd();
const signal = abortOnSignal();
const names = Array.from({ length: 10_000 }, (_, n) => join(Deno.args[0], `${n}`));
{
  using outputs = Outputs.open(names, { force: false, bytes: 1 });
  const bytes = new Uint8Array(1000);
  print("begun");
  for (let at = 0; at < names.length && !signal.aborted; at += 2) {
    outputs.save([[names[at], bytes], [names[at + 1], bytes]]);
    await new Promise((turn) => setTimeout(turn, 0));
  }
  outputs.finish();
}
Deno.exit(await lastStopCode());
