/**
 * A program of the project's that runs beside this one, with packages and permissions that nobody else shall have: its lock is its
 * own, for Deno fetches all that a lock names. What it is asked goes to its stdin, what it answers comes from its stdout, as lines
 * of JSON.
 */
import { dirname, join } from "node:path";
import { atExit } from "./interrupt.ts";
import { linesOf } from "./lines.ts";

/** What a program is started with. */
export interface Start {
  /** Its file. */
  file: string;
  /** Its lock; `deno.lock` beside the file unless given. */
  lock?: string;
  /** Variables that it has beside this program's. */
  env?: Readonly<Record<string, string>>;
  /** Deno's words for what it may, and how else it runs. */
  words: readonly string[];
  args?: readonly string[];
  /** Whether packages that are not here may be fetched. */
  fetches: boolean;
  /** It is killed where this program ends: it may be too busy to notice, and has nothing to put in order. */
  busy?: boolean;
}

/** A running program. */
export class Program implements Disposable {
  readonly #child: Deno.ChildProcess;
  readonly #answers: AsyncGenerator<string>;
  readonly #said: Promise<string>;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #atExit?: Disposable;

  /** Starts it. */
  constructor({ file, lock = join(dirname(file), "deno.lock"), env, words, args = [], fetches, busy }: Start) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", `--lock=${lock}`, "--frozen"],
        ...fetches ? [] : ["--cached-only"],
        ...[...words, file, ...args],
      ],
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#said = new Response(this.#child.stderr).text();
    this.#answers = linesOf(this.#child.stdout);
    this.#requests = this.#child.stdin.getWriter();
    if (busy) this.#atExit = atExit(() => this.#kill());
  }

  /** Tells it something. */
  async tell(value: object): Promise<void> {
    await this.#requests.write(new TextEncoder().encode(JSON.stringify(value) + "\n")).catch(() => {});
  }

  /** Its next answer. @throws Error with one sentence where none comes within so many milliseconds, or it ends without one. */
  async answer(limitMs: number): Promise<unknown> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const words = `it took more than ${Math.round(limitMs / 1000)} s`;
      timer = setTimeout(() => reject(new Error(words)), limitMs);
    });
    const { value, done } = await Promise.race([this.#answers.next(), late]).finally(() => clearTimeout(timer));
    if (done) throw new Error(endedBy(await this.#said));
    return JSON.parse(value);
  }

  /** Waits until it has ended of itself, at most so many milliseconds; its stdin ends now. */
  async end(limitMs: number): Promise<void> {
    this.#requests.close().catch(() => {});
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => timer = setTimeout(resolve, limitMs));
    await Promise.race([this.#child.status, late]).finally(() => clearTimeout(timer));
  }

  [Symbol.dispose](): void {
    this.#atExit?.[Symbol.dispose]();
    this.#requests.close().catch(() => {});
    this.#kill();
    this.#child.status.catch(() => {});
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended by itself
    }
  }
}

/** Why a program ended that said nothing: its error's own words, and the cause below them. */
function endedBy(said: string): string {
  if (said.includes("--cached-only is specified")) {
    return "its packages are not here, and PHOSPHENE_SETUP=skip fetches none";
  }
  const lines = said.split("\n").map((line) => line.trim());
  const at = lines.findLastIndex((line) => line.startsWith("error: "));
  if (at < 0) return "its program ended without a word";
  const cause = /^0: (.*)/.exec(lines[at + 1] ?? "");
  return lines[at].slice("error: ".length) + (cause ? `: ${cause[1]}` : "");
}
