/**
 * Hostile files: each ends in a sentence, soon, in little memory. `read_bombs.ts 20000 2000 DIR` and `read_damaged.ts 20000 1` read more
 * of them.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { root, temporaryFolder } from "./user.ts";
import { kinds } from "../formats/bombs.ts";

/** Runs a program that reads so many files and complains. Behind a shell, for a child's peak of memory begins at its parent's. */
async function readsWithoutComplaint(program: string, count: number, args: string[], folder: string): Promise<void> {
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: [
      ...["-c", '"$0" "$@"; exit', Deno.execPath()],
      ...["run", "--no-prompt", "--no-check", "--allow-read", `--allow-write=${folder}`],
      ...[join(root, "tests/cli", program), String(count), ...args],
    ],
    cwd: root,
    stdin: "null",
  }).output();
  const told = new TextDecoder().decode(stdout);
  assert.match(told, new RegExp(`^${count} files, [1-9]\\d* refused, .*\\n$`), told + new TextDecoder().decode(stderr));
}

Deno.test("bombs: a sentence each, within five seconds, and a process that stays below 400 MB", async () => {
  using folder = temporaryFolder();
  await readsWithoutComplaint("read_bombs.ts", kinds, ["400", folder.path], folder.path);
});

Deno.test("damaged pictures and ONNX models: the same", async () => {
  using folder = temporaryFolder();
  await readsWithoutComplaint("read_damaged.ts", 150, ["5"], folder.path);
});
