/**
 * What a task needs from the system, installed where it is missing and Debian's apt-get is at hand.
 *
 *     setup.ts gpu       an adapter for WebGPU; without a GPU, Mesa's software driver is one
 *     setup.ts browser   Chromium, for the tests of the page
 *
 * PHOSPHENE_SETUP=skip leaves the system as it is.
 */

/** A thing to have: how to see that it is there, and the Debian packages that bring it. */
interface Need {
  name: string;
  packages: string[];
  isThere(): Promise<boolean>;
}

/** Names under which Chromium is found; CHROME_PATH names another. */
const browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const needs: Record<string, Need> = {
  gpu: {
    name: "a WebGPU adapter",
    packages: ["libvulkan1", "mesa-vulkan-drivers"],
    async isThere() {
      // Mesa complains on stderr where this is unset.
      if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
      return await navigator.gpu.requestAdapter() !== null;
    },
  },
  browser: {
    name: "Chromium",
    packages: ["chromium"],
    async isThere() {
      const given = Deno.env.get("CHROME_PATH");
      for (const browser of given ? [given] : browsers) if (await runs(browser, ["--version"])) return true;
      return false;
    },
  },
};

const need = needs[Deno.args[0]];
if (Deno.env.get("PHOSPHENE_SETUP") !== "skip" && !await need.isThere()) Deno.exit(await install(need) ? 0 : 1);

/** Installs a need's packages; says on stderr what it does, or in one sentence why it cannot. */
async function install({ name, packages }: Need): Promise<boolean> {
  const list = packages.join(" ");
  const byHand = `install it by hand (on Debian: apt-get install ${list})`;
  if (!await runs("apt-get", ["--version"])) {
    console.error(`setup: ${name} is missing and there is no apt-get here; ${byHand}`);
    return false;
  }
  const sudo = Deno.uid() === 0 ? [] : ["sudo", "-n"];
  if (sudo.length > 0 && !await runs("sudo", ["-n", "true"])) {
    console.error(`setup: ${name} is missing and only root may install it; ${byHand}`);
    return false;
  }
  console.error(`setup: ${name} is missing; installing ${list} with apt-get, which takes a minute …`);
  for (const [verb, ...more] of [["update"], ["install", "-y", "--no-install-recommends", ...packages]]) {
    const [program, ...args] = [...sudo, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", verb, ...more];
    const { success, stderr } = await new Deno.Command(program, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      const reason = new TextDecoder().decode(stderr).split("\n").find((line) => line.startsWith("E: ")) ?? "";
      console.error(`setup: apt-get ${verb} failed${reason && ` (${reason.slice(3)})`}; ${byHand}`);
      return false;
    }
  }
  return true;
}

/** Whether a program is there and succeeds. */
async function runs(program: string, args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" })
      .output();
    return success;
  } catch {
    return false;
  }
}
