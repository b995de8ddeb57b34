/** Set-up on a machine without an adapter, with an apt-get that only writes down what it is asked. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { root, temporaryFolder, withoutTask } from "./user.ts";

/** Runs set-up where there is no adapter, with the programs of `folder` alone. */
async function setUp(folder: string, env: Record<string, string> = {}, task = "setup") {
  const [program, ...args] = withoutTask([task]);
  const { code, stderr } = await new Deno.Command(program, {
    args,
    cwd: root,
    env: {
      ...{ PATH: folder, NO_COLOR: "1" },
      ...{ DENO_WEBGPU_BACKEND: "vulkan", VK_DRIVER_FILES: "/none", VK_ICD_FILENAMES: "/none" },
      ...env,
    },
    stdin: "null",
  }).output();
  return { code, err: new TextDecoder().decode(stderr) };
}

/** Puts a program into a folder. */
function program(folder: string, name: string, script: string) {
  Deno.writeTextFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

Deno.test("a missing adapter is installed by apt-get", async () => {
  using folder = temporaryFolder();
  const log = join(folder.path, "log");
  program(folder.path, "apt-get", `echo "$@" >> ${log}`);
  program(folder.path, "sudo", `shift; "$@"`);
  const { code, err } = await setUp(folder.path);
  assert.equal(code, 0, err);
  assert.match(
    err,
    /^setup: a Vulkan adapter for WebGPU is missing; libvulkan1 mesa-vulkan-drivers would be installed, .*, by\n {2}/,
  );
  assert.match(err, / apt-get -qq .* update\n .* install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers\n/);
  assert.match(
    Deno.readTextFileSync(log),
    / update\n.* install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers\n/,
  );
});

Deno.test("what cannot be installed is said in one sentence", async () => {
  using folder = temporaryFolder();
  const without = await setUp(folder.path);
  assert.equal(without.code, 1);
  assert.match(
    without.err,
    /^setup: a Vulkan adapter for WebGPU is missing and there is no apt-get here; install it by hand.*\n$/,
  );
  program(folder.path, "apt-get", `case "$*" in --version) ;; *) echo "E: no network" >&2; exit 100;; esac`);
  program(folder.path, "sudo", `shift; "$@"`);
  const failing = await setUp(folder.path);
  assert.equal(failing.code, 1);
  assert.match(failing.err, /\nsetup: apt-get update failed \(no network\); install it by hand.*\n$/);
});

/** The same with a terminal, at which `keys` are typed; nothing where there is none to be had (util-linux's script). */
async function setUpAt(folder: string, keys: string, env: Record<string, string> = {}) {
  const line = withoutTask(["setup"]).join(" ");
  const child = new Deno.Command("sh", {
    args: ["-c", `PATH=$OLD script -qec '${line.replace(/^(\S+)/, `env PATH=${folder} $1`)}' /dev/null`],
    cwd: root,
    env: {
      ...{ OLD: "/usr/bin:/bin", NO_COLOR: "1" },
      ...{ DENO_WEBGPU_BACKEND: "vulkan", VK_DRIVER_FILES: "/none", VK_ICD_FILENAMES: "/none" },
      ...env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(keys));
  const { code, stdout } = await child.output();
  await writer.close().catch(() => {});
  return { code, told: new TextDecoder().decode(stdout) };
}

Deno.test({
  name: "on a terminal set-up asks: Enter goes on, n does not; PHOSPHENE_SETUP=install does not ask",
  ignore: Deno.build.os !== "linux" || !await hasScript(),
  async fn() {
    using folder = temporaryFolder();
    const log = join(folder.path, "log");
    const asked = /update\r\n .* install .*\r\nGo on\? \[Y\/n\] /;
    program(folder.path, "apt-get", `echo "$@" >> ${log}`);
    program(folder.path, "sudo", `shift; "$@"`);
    const installs = () => Deno.readTextFileSync(log).match(/ install /g)?.length ?? 0;
    const no = await setUpAt(folder.path, "n\n");
    assert.equal(no.code, 1, no.told);
    assert.match(no.told, asked);
    assert.match(no.told, /was not to be installed; install it by hand/);
    assert.equal(installs(), 0);
    const yes = await setUpAt(folder.path, "\n");
    assert.deepEqual([yes.code, installs()], [0, 1], yes.told);
    assert.match(yes.told, asked);
    const unasked = await setUpAt(folder.path, "", { PHOSPHENE_SETUP: "install" });
    assert.deepEqual([unasked.code, installs()], [0, 2], unasked.told);
    assert.doesNotMatch(unasked.told, /Go on/);
  },
});

async function hasScript(): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", "command -v script"], stdout: "null" }).output();
  return success;
}

Deno.test("PHOSPHENE_SETUP=ask without a terminal installs nothing; what it does not know is refused", async () => {
  using folder = temporaryFolder();
  const log = join(folder.path, "log");
  program(folder.path, "apt-get", `echo "$@" >> ${log}`);
  program(folder.path, "sudo", `shift; "$@"`);
  const asked = await setUp(folder.path, { PHOSPHENE_SETUP: "ask" });
  assert.equal(asked.code, 1);
  assert.match(
    asked.err,
    /setup: a Vulkan adapter for WebGPU is missing and was not to be installed; install it by hand/,
  );
  assert.doesNotMatch(Deno.readTextFileSync(log), /update|install/);
  const wrong = await setUp(folder.path, { PHOSPHENE_SETUP: "yes" });
  assert.deepEqual(wrong, {
    code: 1,
    err: 'setup: PHOSPHENE_SETUP is "yes", expected install, skip or ask\n',
  });
});

Deno.test("set-up can be left out", async () => {
  using folder = temporaryFolder();
  assert.deepEqual(await setUp(folder.path, { PHOSPHENE_SETUP: "skip" }), { code: 0, err: "" });
});

Deno.test({
  name: "several things that are missing are installed at once",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = temporaryFolder();
    const log = join(folder.path, "log");
    program(folder.path, "apt-get", `echo "$@" >> ${log}`);
    program(folder.path, "sudo", `shift; "$@"`);
    const { code, err } = await setUp(folder.path, {}, "setup:tests");
    assert.equal(code, 0, err);
    assert.match(err, /^setup: a Vulkan adapter for WebGPU and gcc, .* and Redis and Chromium are missing; /);
    const lines = Deno.readTextFileSync(log).split("\n").filter((line) => / (update|install)\b/.test(line));
    assert.equal(lines.length, 2);
    assert.match(
      lines[1],
      / install -y .* libvulkan1 mesa-vulkan-drivers gcc libc6-dev libvulkan-dev redis-server chromium$/,
    );
  },
});

Deno.test({
  name: "what bench static compiles with is installed by apt-get, where it is missing",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = temporaryFolder();
    const log = join(folder.path, "log");
    program(folder.path, "apt-get", `echo "$@" >> ${log}`);
    program(folder.path, "sudo", `shift; "$@"`);
    const missing = await setUp(folder.path, {}, "setup:static");
    assert.equal(missing.code, 0, missing.err);
    assert.match(missing.err, /^setup: gcc, Vulkan's headers or Mesa's driver for AMD is missing; gcc .* would be /);
    assert.match(Deno.readTextFileSync(log), / install -y .*\bgcc libc6-dev libvulkan-dev mesa-vulkan-drivers\n/);
  },
});
