/**
 * Rounding in every direction, of halves too.
 */
import type { RoundParameters } from "../reference/round.ts";
import { type Case, casesOf } from "./case.ts";

/** The round table: the results are whole numbers, so they are exact. */
export const roundCases: Case<RoundParameters>[] = casesOf(
  "round",
  (["nearest", "down", "up", "zero"] as const).map((to) => ({
    name: `${to}, halves`,
    inputs: [[3, 5, 7, 3]],
    params: { to },
    tolerance: 0,
    spread: 3,
    step: 0.5,
  })),
);
