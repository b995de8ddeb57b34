/** Figures: what is not zero is not printed as zero, what is huge not as twenty digits. */
import assert from "node:assert/strict";
import { figure } from "../../src/formats/figure.ts";

Deno.test("a figure has its decimals, or the digits that a very small or very large one needs", () => {
  const told: [value: number, text: string, decimals?: number][] = [
    [0, "0.00"],
    [23.456, "23.46"],
    [-0.5, "-0.50"],
    [0.1, "0.10"],
    [0.0123, "0.012"],
    [-0.00004, "-0.000040"],
    [3.1e-9, "3.1e-9"],
    [0.52, "0.52", 1],
    [12.34, "12.3", 1],
    [0, "0.0", 1],
    [999_999_999, "999999999.00"],
    [5.20420018877562e30, "5.20e+30"],
    [-Infinity, "-Infinity"],
    [NaN, "NaN"],
  ];
  for (const [value, text, decimals] of told) assert.equal(figure(value, decimals), text);
});
