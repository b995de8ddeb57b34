/** The program of a peer, from outside: started with the fewest permissions that do, asked, and ended. */
import { join } from "node:path";
import { Program } from "../../src/cli/program.ts";
import type { Folders } from "../synth/subject.ts";
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
  private constructor(private readonly program: Program) {}

  /**
   * Starts a task.
   * @param fetches Whether packages that are not here may be fetched.
   */
  static start(task: Task, fetches: boolean): PeerProcess {
    const file = join(import.meta.dirname!, "child.ts");
    return new PeerProcess(
      new Program({ file, words: ["--allow-read"], args: [JSON.stringify(task)], fetches, busy: true }),
    );
  }

  /** Waits until its search can be asked. @throws Error with one sentence where it comes to none within so many milliseconds. */
  async opened(limitMs: number): Promise<void> {
    await this.#answer(limitMs);
  }

  /** Asks. @throws Error with one sentence where no answer comes within so many milliseconds. */
  async ask(request: Request, limitMs: number): Promise<Answered> {
    await this.program.tell(request);
    return await this.#answer(limitMs) as Answered;
  }

  async #answer(limitMs: number): Promise<Answer> {
    const answer = await this.program.answer(limitMs) as Answer;
    if (answer.sentence !== undefined) throw new Error(answer.sentence);
    return { ...answer, values: answer.values?.map((value: number | null) => value ?? NaN) }; // JSON has no NaN
  }

  [Symbol.dispose](): void {
    this.program[Symbol.dispose]();
  }
}
