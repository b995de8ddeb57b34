/** Free memory in containers, whose files stand elsewhere, and by Deno's own word where it keeps such files from programs. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { freeInGroups, freeMemory } from "../../src/cli/free_memory.ts";
import { root, temporaryFolder, withoutTask } from "./user.ts";

const MB = 2 ** 20;

/** Writes files below a folder, and says where its groups are. */
function groupsOf(folder: string, files: Record<string, string | number>) {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, `${content}\n`);
  }
  return { own: join(folder, "own"), groups: join(folder, "groups") };
}

const cases: [name: string, files: Record<string, string | number>, free: number | undefined][] = [
  ["no control groups", {}, undefined],
  ["version 2, no limit", { own: "0::/a/b", "groups/a/b/memory.max": "max", "groups/a/b/memory.current": 5 }, Infinity],
  [
    "version 2, a limit",
    { own: "0::/a/b", "groups/a/b/memory.max": 600 * MB, "groups/a/b/memory.current": 100 * MB },
    500 * MB,
  ],
  [
    "version 2, a limit above",
    { own: "0::/a/b", "groups/a/memory.max": 9 * MB, "groups/a/memory.current": MB },
    8 * MB,
  ],
  [
    "version 2, in a container",
    { own: "0::/", "groups/memory.max": 7 * MB, "groups/memory.current": 8 * MB },
    0,
  ],
  [
    "version 1, a limit",
    {
      own: "5:cpu,cpuacct:/x\n4:memory:/x",
      "groups/memory/x/memory.limit_in_bytes": 3 * MB,
      "groups/memory/x/memory.usage_in_bytes": MB,
    },
    2 * MB,
  ],
  [
    "version 1, in a container that does not see its name",
    { own: "4:memory:/docker/0a1b", "groups/memory/memory.limit_in_bytes": 3 * MB },
    3 * MB,
  ],
  [
    "both, the lesser",
    { own: "4:memory:/x\n0::/y", "groups/memory/x/memory.limit_in_bytes": 3 * MB, "groups/y/memory.max": 2 * MB },
    2 * MB,
  ],
];

for (const [name, files, free] of cases) {
  Deno.test(`free memory: ${name}`, () => {
    using folder = temporaryFolder();
    const paths = groupsOf(folder.path, files);
    const all = freeMemory(paths);
    assert.equal(freeInGroups(paths), free);
    assert.ok(all > 0 || free === 0);
    if (free !== undefined && free < 2 ** 30) assert.equal(all, free);
  });
}

Deno.test({
  name: "free memory: a search in a container of too little is a sentence, with the narrow permissions of its task",
  ignore: Deno.build.os !== "linux" || !await canMount(),
  async fn() {
    using folder = temporaryFolder();
    Deno.writeTextFileSync(join(folder.path, "memory.max"), `${50 * MB}\n`);
    Deno.writeTextFileSync(join(folder.path, "own"), "0::/\n");
    const script = `mount --bind ${folder.path} /sys/fs/cgroup && mount --bind ${folder.path}/own /proc/$$/cgroup && ` +
      `exec ${withoutTask(["synth", "--unit", "945", "--out", `${folder.path}/out`]).join(" ")}`;
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", `unshare -rm sh -c '${script}'`],
      cwd: root,
      env: { NO_COLOR: "1", PHOSPHENE_SETUP: "skip", PHOSPHENE_TUNED: "none" },
      stdin: "null",
    }).output();
    const err = new TextDecoder().decode(stderr);
    assert.equal(code, 1, err);
    assert.match(err, /^synth: .* it has \d+ MiB, working on it takes twice that, \d MiB are free\n$/);
  },
});

/** Whether this user may lay files over the system's. */
async function canMount(): Promise<boolean> {
  const script = "unshare -rm sh -c 'mount --bind /tmp /sys/fs/cgroup && mount --bind /dev/null /proc/$$/cgroup'";
  return (await new Deno.Command("sh", { args: ["-c", script], stdin: "null", stderr: "null" }).output()).success;
}
