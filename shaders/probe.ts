/** Kernels that measure an adapter: how fast it multiplies and adds, and how fast it reads and writes. */
import { literal } from "./wgsl.ts";

/** Multiply-adds of one loop trip. */
const UNROLL = 48;

/**
 * The recurrence s ← multiplier · s + summand of every sum. Each factor is `least + step · (i mod values)` in invocation i,
 * so that no compiler knows it. The summand is never 0 and the fixed point, summand / (1 − multiplier), lies near 1: a CPU
 * takes a hundred times as long for a denormal, where a sum that decays towards 0 would end.
 */
export const recurrence = {
  multiplier: { least: 0.5, step: 2 ** -10, values: 8 },
  summand: { least: 0.5, step: 2 ** -9, values: 4 },
  /** What each sum starts at, by its chain and its component: all differ, so that no compiler takes two for one. */
  start: { chain: 0.5, component: 0.125 },
} as const;

/** Where sum `component` (0 … 3) of a chain starts. */
export const startOf = (chain: number, component: number): number =>
  (chain + 1) * recurrence.start.chain + component * recurrence.start.component;

/**
 * Multiply-adds of vec4s in registers, nothing else, in `chains` independent sums: more hide the latency of a
 * multiply-add, fewer fit into the registers. Bindings: y. One invocation a texel of y, which gets the sums' sum.
 */
export function multiplyAdd(
  chains: number,
  trips: number,
): { code: string; flopsPerInvocation: number; multiplyAdds: number } {
  const sums = Array.from({ length: chains }, (_, c) => c);
  const steps = Math.floor(UNROLL / chains);
  const factor = ({ least, step, values }: { least: number; step: number; values: number }) =>
    `f32(i % ${values}u) * ${literal(step)} + ${literal(least)}`;
  const start = (c: number) => [0, 1, 2, 3].map((component) => literal(startOf(c, component))).join(", ");
  const step = sums.map((c) => `s${c} = fma(s${c}, a, b);`).join(" ");
  const code = `
fn kernel(i: u32) {
  let a = vec4f(${factor(recurrence.multiplier)});
  let b = vec4f(${factor(recurrence.summand)});
  ${sums.map((c) => `var s${c} = vec4f(${start(c)});`).join("\n  ")}
  for (var trip = 0u; trip < ${trips}u; trip++) {
    ${Array.from({ length: steps }, () => step).join("\n    ")}
  }
  store_y(i, ${sums.map((c) => `s${c}`).join(" + ")});
}`;
  return { code, flopsPerInvocation: 2 * 4 * chains * steps * trips, multiplyAdds: steps * trips };
}

/** y = x. Bindings: x, y. One invocation a texel. */
export const copy = `
fn kernel(i: u32) { store_y(i, load_x(i)); }`;

/**
 * y[i] = the sum of `reads` texels of x. Bindings: x, y. One invocation a texel of y. The `side` invocations that run side
 * by side read neighbours each time, and together one piece of x.
 */
export const sumOf = (reads: number, side: number): string => `
fn kernel(i: u32) {
  let first = (i / ${side}u) * ${side * reads}u + i % ${side}u;
  var sum = vec4f();
  ${Array.from({ length: reads }, (_, n) => `sum += load_x(first + ${n * side}u);`).join("\n  ")}
  store_y(i, sum);
}`;
