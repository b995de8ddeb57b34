/** The program of a peer, from outside: started with the fewest permissions that do, asked, and ended. */
import { join } from "node:path";
import type { Folders } from "../synth/subject.ts";
import { linesOf } from "./lines.ts";
import type { Backend, PeerName } from "./packages.ts";

/** What a peer's program is to do: the search of these models in this backend. */
export interface Task {
  peer: PeerName;
  backend: Backend;
  folders: Folders;
  batch: number;
}

/** The gradient at the start, or so many iterations from it. */
export interface Request {
  gradient?: true;
  climb?: number;
}

/** What comes back: the gradient or the codes after the iterations, and how long they took; or why nothing does. */
export interface Answer {
  backend?: string;
  ms?: number;
  values?: number[];
  sentence?: string;
}

/** What was asked for. */
export type Answered = Required<Omit<Answer, "sentence">>;

/** A running program. */
export class PeerProcess {
  private constructor(
    private readonly child: Deno.ChildProcess,
    private readonly answers: AsyncGenerator<string>,
    private readonly said: Promise<string>,
    private readonly requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
  ) {}

  /**
   * Starts a task.
   * @param fetches Whether packages that are not here may be fetched.
   */
  static start(task: Task, fetches: boolean): PeerProcess {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        `--lock=${join(import.meta.dirname!, "deno.lock")}`,
        "--frozen",
        ...fetches ? [] : ["--cached-only"],
        "--allow-read",
        join(import.meta.dirname!, "child.ts"),
        JSON.stringify(task),
      ],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const said = new Response(child.stderr).text();
    return new PeerProcess(child, linesOf(child.stdout), said, child.stdin.getWriter());
  }

  /** Waits until its search can be asked. @throws Error with one sentence where it comes to none within so many milliseconds. */
  async opened(limitMs: number): Promise<void> {
    await this.#answer(limitMs);
  }

  /** Asks. @throws Error with one sentence where no answer comes within so many milliseconds. */
  async ask(request: Request, limitMs: number): Promise<Answered> {
    await this.requests.write(new TextEncoder().encode(JSON.stringify(request) + "\n")).catch(() => {});
    return await this.#answer(limitMs) as Answered;
  }

  async #answer(limitMs: number): Promise<Answer> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const words = `it took more than ${Math.round(limitMs / 1000)} s`;
      timer = setTimeout(() => reject(new Error(words)), limitMs);
    });
    const { value, done } = await Promise.race([this.answers.next(), late]).finally(() => clearTimeout(timer));
    if (done) throw new Error(endedBy(await this.said));
    const answer = JSON.parse(value) as Answer;
    if (answer.sentence !== undefined) throw new Error(answer.sentence);
    return { ...answer, values: answer.values?.map((value: number | null) => value ?? NaN) }; // JSON has no NaN
  }

  [Symbol.dispose](): void {
    this.requests.close().catch(() => {});
    try {
      this.child.kill("SIGKILL");
    } catch {
      // it has ended by itself
    }
    this.child.status.catch(() => {});
  }
}

/** Why a program ended that said nothing: its error's own words, and the cause below them. */
function endedBy(said: string): string {
  if (said.includes("--cached-only is specified")) {
    return "its packages are not here, and PHOSPHENE_SETUP=skip fetches none";
  }
  const lines = said.split("\n").map((line) => line.trim()),
    at = lines.findLastIndex((line) => line.startsWith("error: "));
  if (at < 0) return "its program ended without a word";
  const cause = /^0: (.*)/.exec(lines[at + 1] ?? "");
  return lines[at].slice("error: ".length) + (cause ? `: ${cause[1]}` : "");
}
