/**
 * Chromium without a window, with WebGPU on its own software adapter: the same on machines with a GPU and without.
 */

/** Names under which it is found; CHROME_PATH names another. */
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const flags = [
  "--headless",
  "--no-sandbox", // which root and most containers cannot have; the only page is ours
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser that shows one page. */
export interface Chromium extends AsyncDisposable {
  /** Resolves when it ends, with its last words. */
  readonly ended: Promise<string>;
}

/** Opens `url`; `profile` is a folder for its own. @throws Error where there is no Chromium. */
export function openChromium(url: string, profile: string): Chromium {
  const stop = new AbortController();
  const process = start([...flags, `--user-data-dir=${profile}`, url], stop.signal);
  // All of its processes hold stderr: at its end the last of them is gone, and nobody writes into the profile.
  const words = new Response(process.stderr).text();
  const ended = process.status.then(async ({ code }) => {
    return `Chromium ended with code ${code}: ${(await words).trim().split("\n").slice(-5).join("\n")}`;
  });
  return {
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

function start(args: string[], signal: AbortSignal): Deno.ChildProcess {
  const given = Deno.env.get("CHROME_PATH");
  const candidates = given ? [given] : names;
  for (const name of candidates) {
    try {
      return new Deno.Command(name, { args, signal, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`Chromium is not there as ${candidates.join(", ")}; install it, or name it in CHROME_PATH`);
}
