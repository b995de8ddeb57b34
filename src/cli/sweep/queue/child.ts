/**
 * The queue, in a program of its own: the only one that speaks to Redis, and that fetches and runs packages for it. The first line
 * on its stdin is a `Beginning`, every other one a `Request`, and each request is answered by a line on stdout. It ends where stdin
 * does, and then gives back what was taken: whoever took it is gone.
 */
import { endings } from "../../interrupt.ts";
import { linesOf } from "../../lines.ts";
import { Pieces } from "./pieces.ts";
import type { Answer, Request } from "./messages.ts";

/** Stdout is for answers: what libraries say goes to stderr. */
console.log =
  console.info =
  console.warn =
  console.debug =
    console.error;

function say(answer: Answer): void {
  const bytes = new TextEncoder().encode(JSON.stringify(answer) + "\n");
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch {
    // Whoever asked is gone; stdin ends too.
  }
}

// A key that ends the program that asks comes here too: that one says what shall be.
for (const ending of endings) Deno.addSignalListener(ending, () => {});

let pieces: Pieces | undefined;
let lost: Error | undefined;
try {
  for await (const line of linesOf(Deno.stdin.readable)) {
    if (!pieces) {
      pieces = await Pieces.join(JSON.parse(line), (error) => lost = error);
      if (lost) throw lost; // such as that there is no such database: then it is another
      say({ made: await pieces.made() });
      continue;
    }
    const request = JSON.parse(line) as Request;
    if ("next" in request) say(await pieces.next());
    else {
      await pieces.settle(request);
      say({});
    }
  }
  await pieces?.giveBack();
} catch (error) {
  const { message } = lost ?? error as Error;
  say({ sentence: message.split("\n")[0] });
}
Deno.exit(0);
