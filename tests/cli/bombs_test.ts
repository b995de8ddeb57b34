/** Small files that ask for much: each ends in a sentence, soon, in little memory. `read_bombs.ts 20000 2000 DIR` reads more of them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { root, temporaryFolder } from "./user.ts";
import { kinds } from "../formats/bombs.ts";

Deno.test("bombs: a sentence each, within five seconds, and a process that stays below 400 MB", async () => {
  using folder = temporaryFolder();
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-read", `--allow-write=${folder.path}`],
      ...[join(root, "tests/cli/read_bombs.ts"), String(kinds), "400", folder.path],
    ],
    cwd: root,
    stdin: "null",
  }).output();
  const told = new TextDecoder().decode(stdout);
  assert.match(told, new RegExp(`^${kinds} bombs, \\d+ refused, .*\\n$`), told + new TextDecoder().decode(stderr));
});
