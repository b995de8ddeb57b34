/** A sweep's queue in Redis, from outside: workers join and leave, and each gets the pieces that no other has. */
import { join } from "node:path";
import { UserError } from "../../../formats/user_error.ts";
import { warn } from "../../print.ts";
import { Program } from "../../program.ts";
import { picturesOf, type Plan } from "../plan.ts";
import type { Failure, Source, Taken } from "../source.ts";
import type { Answer, Beginning, Request } from "./messages.ts";

/** Milliseconds that an answer may take (packages are fetched before the first, and Redis may be away for a while), and an end. */
const answerMs = 120_000;
const endMs = 5000;

/** Milliseconds between two questions for a piece, where all are others'. */
const pauseMs = 500;

/** Where Redis listens unless an address says. */
const usualPort = "6379";

/** The variable that may hold the password: of a command, everybody on a machine sees the words. */
const passwordVariable = "PHOSPHENE_QUEUE_PASSWORD";

/** A place in the queue of a plan. */
export class Queue implements Source, AsyncDisposable {
  /** About how many pictures were made when it was joined. */
  before = 0;
  /** Whether nothing is left, and how many pictures nobody could make. */
  ended = false;
  lacks = 0;
  #joined = false;
  /** The piece that was taken last, and those of which it is told that they cannot be made. */
  #taken: number | undefined;
  readonly #told = new Set<number>();

  private constructor(
    readonly where: string,
    private readonly program: Program,
    private readonly plan: Plan,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Joins it, by a program that may reach this Redis and nothing else.
   * @param text The address; the password, there or in the variable, is told to nobody but Redis.
   * @throws UserError where it is none, or Redis cannot be reached.
   */
  static async join(text: string, plan: Plan, signal: AbortSignal): Promise<Queue> {
    const { href, host } = addressOf(text, Deno.env.get(passwordVariable));
    const program = new Program({
      file: join(import.meta.dirname!, "child.ts"),
      words: ["--no-config", `--allow-net=${host}`],
      fetches: Deno.env.get("PHOSPHENE_SETUP") !== "skip",
    });
    const queue = new Queue(host, program, plan, signal);
    const pieces = plan.pieces.length;
    try {
      const { made } = await queue.#ask({ address: href, sweep: `sweep-${plan.hash}`, pieces });
      queue.#joined = true;
      queue.before = queue.#pictures(made);
      return queue;
    } catch (error) {
      program[Symbol.dispose]();
      throw error;
    }
  }

  async next(): Promise<Taken | undefined> {
    while (!this.signal.aborted) {
      const { piece, made, failures } = await this.#ask({ next: true });
      if (piece !== undefined) {
        this.#taken = piece;
        return { piece: this.plan.pieces[piece], before: this.#pictures(made), of: this.plan.pictures };
      }
      if (failures) return this.#end(failures);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async settle(failure?: Failure): Promise<void> {
    if (failure && !failure.elsewhere) this.#told.add(this.#taken!);
    await this.#ask(failure ? { failed: failure } : { made: true });
  }

  /** About how many pictures so many pieces are. */
  #pictures(pieces = 0): number {
    return Math.floor(this.plan.pictures * pieces / this.plan.pieces.length);
  }

  #end(failures: { piece: number; reason: string }[]): undefined {
    this.ended = true;
    for (const { piece: number, reason } of failures) {
      const piece = this.plan.pieces[number];
      this.lacks += piece.row.items.length;
      if (!this.#told.has(number)) warn(`${picturesOf(piece)} cannot be made: ${reason}`);
    }
  }

  async #ask(what: Beginning | Request): Promise<Answer> {
    try {
      await this.program.tell(what);
      const answer = await this.program.answer(answerMs) as Answer;
      if (answer.sentence !== undefined) throw new Error(answer.sentence);
      return answer;
    } catch (error) {
      const fate = this.#joined ? "was lost" : "cannot be joined";
      throw new UserError(`the queue at ${this.where} ${fate}: ${(error as Error).message}`);
    }
  }

  /** What was taken and not settled is given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    using program = this.program;
    await program.end(endMs);
  }
}

/**
 * An address of Redis, with its port, and with the password unless it has one of its own.
 * @throws UserError that does not say what came, for it may hold a password.
 */
export function addressOf(text: string, password = ""): URL {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^(\/\d*)?$/.test(url.pathname)) {
    throw new UserError("--queue expects an address such as redis://host:6379 or rediss://user:password@host:6379/1");
  }
  url.port ||= usualPort;
  url.password ||= encodeURIComponent(password);
  return url;
}
