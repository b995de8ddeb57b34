/** Programs that run beside a command, and end with it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { stopCodes, temporaryFolder } from "./user.ts";

const moment = () => new Promise((turn) => setTimeout(turn, 200));

Deno.test("a busy program is gone with the one that asked it, which a signal ends", async () => {
  using folder = temporaryFolder();
  const beats = join(folder.path, "beats");
  const beat = () => Deno.statSync(beats).size;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "--no-prompt", "--allow-read", `--allow-run=${Deno.execPath()}`],
      ...[join(import.meta.dirname!, "waiting.ts"), beats],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  for await (const _ of child.stdout) break; // both have begun
  const begun = beat();
  while (beat() === begun) await moment();
  child.kill("SIGHUP");
  assert.equal((await child.status).code, stopCodes.SIGHUP);
  await moment();
  const last = beat();
  await moment();
  assert.equal(beat(), last);
});
