/**
 * exp, log and sqrt.
 */
import type { NoParameters } from "../reference/op.ts";
import { type Case, casesOf } from "./case.ts";

// WGSL allows exp 3 + 2|x| units in the last place, and log an absolute error of 2⁻²¹ near one.
const functions = 1e-5;

/** The tables. log and sqrt are of what exp makes: `small_networks.ts` has them. */
export const functionCases: Case<NoParameters>[] = casesOf("exp", [
  { name: "vector", inputs: [[3, 101]], params: {}, tolerance: functions },
  { name: "5 channels, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: functions },
]);
