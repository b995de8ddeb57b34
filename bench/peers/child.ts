/**
 * A peer's search in a program of its own: the only one that fetches and runs the peers' packages. The argument is the `Task`
 * as JSON; requests come on stdin, a line each, and each is answered by a line on stdout. It ends where stdin does.
 */
import { openSubject } from "../synth/subject.ts";
import { openJax } from "./jax.ts";
import { linesOf } from "../../src/cli/lines.ts";
import type { PeerName } from "./packages.ts";
import type { OpenPeer, PeerSearch } from "./peer.ts";
import type { Answer, Request, Task } from "./process.ts";
import { openTfjs } from "./tfjs.ts";

const openers: Record<PeerName, OpenPeer> = { tfjs: openTfjs, jax: openJax };

/** Stdout is for answers: what libraries say goes to stderr. */
console.log =
  console.info =
  console.warn =
  console.debug =
    console.error;

function say(answer: Answer): void {
  const bytes = new TextEncoder().encode(JSON.stringify(answer) + "\n");
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** The first line of what went wrong. */
const sentenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String((error as { message?: unknown })?.message ?? error)).split("\n")[0];

async function answer(search: PeerSearch, { gradient, climb = 0 }: Request): Promise<Answer> {
  const started = performance.now();
  const values = gradient ? await search.gradient() : await search.climb(climb);
  return { ms: performance.now() - started, values: Array.from(values), backend: search.backend };
}

try {
  const { peer, backend, folders, batch } = JSON.parse(Deno.args[0]) as Task;
  const search = await openers[peer](await openSubject(folders, batch), backend);
  say({ backend: search.backend });
  for await (const line of linesOf(Deno.stdin.readable)) {
    say(await answer(search, JSON.parse(line)));
  }
} catch (error) {
  console.error(error);
  say({ sentence: sentenceOf(error) });
}
Deno.exit(0); // jax-js's workers would keep it running
