/**
 * What a task needs from the system, installed where it is missing and Debian's apt-get is at hand: by `setup.ts NEED...`,
 *
 *     gpu       an adapter for WebGPU; without a GPU, Mesa's software driver is one
 *     browser   Chromium, for the tests of the page
 *     static    a C compiler, Vulkan's headers and Mesa's driver for AMD, for `bench static`; on Linux
 *     queue     Redis, for the tests of sweeps; on Linux
 *
 * On a terminal it says what it would install and asks; elsewhere it goes on. PHOSPHENE_SETUP=install does not ask, skip leaves
 * the system as it is, and ask asks everywhere, which without a terminal means no. The lines that are run are printed.
 */

import { tell } from "../src/cli/print.ts";
import { drawOnStderr } from "../src/cli/progress.ts";

/** A thing to have: how to see that it is there, and the Debian packages that bring it. */
interface Need {
  name: string;
  packages: string[];
  isThere(): Promise<boolean>;
  /** What also serves where it cannot be installed, by name, if it is there. */
  lesser?(): Promise<string | undefined>;
}

/** Names under which Chromium is found; CHROME_PATH names another. */
const browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const needs: Record<string, Need> = {
  gpu: {
    name: Deno.build.os === "linux" ? "a Vulkan adapter for WebGPU" : "a WebGPU adapter",
    packages: ["libvulkan1", "mesa-vulkan-drivers"],
    // On Linux Deno falls back to OpenGL, where Mesa's software driver takes half as long again.
    isThere: hasAdapter,
    lesser: async () => await hasAnyAdapter() ? "OpenGL, which is slower" : undefined,
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
  static: {
    name: "gcc, Vulkan's headers or Mesa's driver for AMD",
    packages: ["gcc", "libc6-dev", "libvulkan-dev", "mesa-vulkan-drivers"],
    isThere: async () => Deno.build.os !== "linux" || hasRadeonDriver() && await hasVulkanHeaders(),
  },
  queue: {
    name: "Redis",
    packages: ["redis-server"],
    isThere: async () => Deno.build.os !== "linux" || await runs("redis-server", ["--version"]),
  },
};

/** What PHOSPHENE_SETUP may say. */
const wishes = ["install", "skip", "ask"];

const wish = Deno.env.get("PHOSPHENE_SETUP") || (atTerminal() ? "ask" : "install");
if (!wishes.includes(wish)) {
  tell(`setup: PHOSPHENE_SETUP is "${wish}", expected ${wishes.slice(0, 2).join(", ")} or ${wishes[2]}`);
  Deno.exit(1);
}
const missing: Need[] = [];
for (const name of wish === "skip" ? [] : Deno.args) if (!await needs[name].isThere()) missing.push(needs[name]);
const problem = missing.length > 0 ? await install(missing) : undefined;
if (problem) Deno.exit(await canDoWithout(missing, problem) ? 0 : 1);

/** Tells what else serves, or what to do by hand. */
async function canDoWithout(missing: readonly Need[], problem: string): Promise<boolean> {
  const lacking: Need[] = [];
  for (const need of missing) {
    const lesser = await need.lesser?.();
    if (lesser) tell(`${problem}; going on with ${lesser} (PHOSPHENE_SETUP=skip stops the asking)`);
    else lacking.push(need);
  }
  if (lacking.length === 0) return true;
  tell(`${problem}; install it by hand (on Debian: apt-get install ${packagesOf(lacking).join(" ")})`);
  return false;
}

function packagesOf(needs: readonly Need[]): string[] {
  return [...new Set(needs.flatMap(({ packages }) => packages))];
}

/** Installs the needs' packages, and says so on stderr. Returns why it cannot. */
async function install(needs: readonly Need[]): Promise<string | undefined> {
  const missing = `${needs.map(({ name }) => name).join(" and ")} ${needs.length > 1 ? "are" : "is"} missing`;
  const packages = packagesOf(needs);
  if (!await runs("apt-get", ["--version"])) return `setup: ${missing} and there is no apt-get here`;
  const sudo = Deno.uid() === 0 ? [] : ["sudo", "-n"];
  if (sudo.length > 0 && !await runs("sudo", ["-n", "true"])) {
    return `setup: ${missing} and only root may install it`;
  }
  const lines = [["update"], ["install", "-y", "--no-install-recommends", ...packages]].map((words) => {
    return [...sudo, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", ...words];
  });
  tell(`setup: ${missing}; ${packages.join(" ")} would be installed, which takes a minute, by`);
  for (const line of lines) tell(`  ${line.join(" ")}`);
  if (wish === "ask" && !agrees()) return `setup: ${missing} and was not to be installed`;
  for (const [program, ...args] of lines) {
    const { success, stderr } = await new Deno.Command(program, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      const reason = new TextDecoder().decode(stderr).split("\n").find((line) => line.startsWith("E: ")) ?? "";
      return `setup: apt-get ${args.includes("update") ? "update" : "install"} failed${
        reason && ` (${reason.slice(3)})`
      }`;
    }
  }
}

/** Whether there is somebody to ask. */
function atTerminal(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** Asks on the terminal; Enter says yes. Where nobody can be asked, nobody agrees. */
function agrees(): boolean {
  if (!atTerminal()) return false;
  drawOnStderr("Go on? [Y/n] ");
  const answer = new Uint8Array(64);
  const count = Deno.stdin.readSync(answer);
  return count !== null && /^\s*(y|yes)?\s*$/i.test(new TextDecoder().decode(answer.subarray(0, count)));
}

/** Whether WebGPU has an adapter: on Linux one of Vulkan, where the user chose no backend. */
async function hasAdapter(): Promise<boolean> {
  // Mesa complains on stderr where this is unset.
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
  const chosen = Deno.env.get("DENO_WEBGPU_BACKEND");
  if (!chosen && Deno.build.os === "linux") Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!chosen) Deno.env.delete("DENO_WEBGPU_BACKEND");
  return !!adapter;
}

/**
 * Whether any backend has an adapter. Deno reads the choice of backends once a thread, so this asks in another one; only where
 * Vulkan has none, for a thread that ends with Mesa's Vulkan driver in it now and then takes the program with it.
 */
function hasAnyAdapter(): Promise<boolean> {
  const code = "postMessage(!!await navigator.gpu?.requestAdapter().catch(() => {}))";
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = () => resolve(false);
  });
}

/** Whether Mesa's driver for AMD is there; one file an architecture. */
function hasRadeonDriver(): boolean {
  return ["x86_64", "aarch64"].some((name) => {
    try {
      return Deno.statSync(`/usr/share/vulkan/icd.d/radeon_icd.${name}.json`).isFile;
    } catch {
      return false;
    }
  });
}

/** Whether gcc is there and finds the headers of C and of Vulkan. */
function hasVulkanHeaders(): Promise<boolean> {
  return runs("gcc", ["-fsyntax-only", "-include", "stdlib.h", "-include", "vulkan/vulkan.h", "-x", "c", "/dev/null"]);
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
