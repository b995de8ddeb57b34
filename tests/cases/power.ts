/**
 * Powers: of small numbers and large ones, of zeros, and of what is below.
 */
import type { PowerParameters } from "../reference/power.ts";
import { type Case, casesOf } from "./case.ts";

// WGSL allows exp 3 + 2|x| units in the last place, and log an absolute error of 2⁻²¹ near one.
const functions = 1e-5;

/** The power table. */
export const powerCases: Case<PowerParameters>[] = casesOf("power", [
  { name: "three quarters, batch 3", inputs: [[3, 5, 7, 3]], params: { exponent: 0.75 }, tolerance: functions },
  { name: "a tenth, zeros", inputs: [[3, 101]], params: { exponent: 0.1 }, tolerance: functions, step: 1 },
  { name: "large numbers", inputs: [[2, 6, 3, 2]], params: { exponent: 2.2 }, tolerance: functions, spread: 1000 },
]);
