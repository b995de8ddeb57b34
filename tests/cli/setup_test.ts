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
    /^setup: a Vulkan adapter for WebGPU is missing; installing libvulkan1 mesa-vulkan-drivers with apt-get/,
  );
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

Deno.test("set-up can be left out", async () => {
  using folder = temporaryFolder();
  assert.deepEqual(await setUp(folder.path, { PHOSPHENE_SETUP: "skip" }), { code: 0, err: "" });
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
    assert.match(missing.err, /^setup: gcc, Vulkan's headers or Mesa's driver for AMD is missing; installing gcc /);
    assert.match(Deno.readTextFileSync(log), / install -y .*\bgcc libc6-dev libvulkan-dev mesa-vulkan-drivers\n/);
  },
});
