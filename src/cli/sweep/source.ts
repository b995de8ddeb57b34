/** Where the pieces of a run come from. */
import type { Piece } from "./plan.ts";

/** A piece to make, and how far the work is. */
export interface Taken {
  piece: Piece;
  /** Pictures that are made, of so many. */
  before: number;
  of: number;
}

/** Why a piece is not made, and whether another machine may make it. */
export interface Failure {
  reason: string;
  elsewhere: boolean;
}

/** Pieces one after the other, until the run is stopped. */
export interface Source {
  /** The next piece; undefined where there is none. @throws UserError where it cannot be had. */
  next(): Promise<Taken | undefined>;
  /** Says that the piece is made, or why it is not. @throws UserError where that cannot be said. */
  settle(failure?: Failure): Promise<void>;
}

/** Pieces that nobody else makes. */
export function ownPieces(pieces: readonly Piece[], signal: AbortSignal): Source {
  const of = pieces.reduce((sum, { row }) => sum + row.items.length, 0);
  let next = 0;
  let before = 0;
  return {
    next: () =>
      Promise.resolve(signal.aborted || next === pieces.length ? undefined : { piece: pieces[next], before, of }),
    settle() {
      before += pieces[next++].row.items.length;
      return Promise.resolve();
    },
  };
}
