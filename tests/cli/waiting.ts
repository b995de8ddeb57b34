/** A program that has a busy one beside it, tells when that has begun, and waits for ever. The argument is the other's. */
import { join } from "node:path";
import { Program } from "../../src/cli/program.ts";

const [beats] = Deno.args;
using program = new Program({
  file: join(import.meta.dirname!, "busy.ts"),
  lock: join(import.meta.dirname!, "../../deno.lock"),
  words: [`--allow-write=${beats}`],
  args: [beats],
  fetches: false,
  busy: true,
});
console.log(await program.answer(60_000));
await new Promise(() => setInterval(() => {}, 1000));
