/** What is said, in lines of JSON, between a run and the program that speaks to Redis for it (`child.ts`). */

import type { Failure } from "../source.ts";

/** What the program that speaks to Redis is told first; it answers when it has joined. */
export interface Beginning {
  address: string;
  /** The sweep's name there. */
  sweep: string;
  /** How many pieces it has. */
  pieces: number;
}

/** What came of the piece that was taken. */
export type Settling = { made: true } | { failed: Failure };

/** What it is asked then: for a piece, or to take note. */
export type Request = { next: true } | Settling;

/** What it answers. */
export interface Answer {
  /** A piece, now the asker's; none where all that are left are others'. */
  piece?: number;
  /** How many pieces are made. */
  made?: number;
  /** Where nothing is left: the pieces that nobody could make, and why. */
  failures?: { piece: number; reason: string }[];
  /** Why there is no answer. */
  sentence?: string;
}
