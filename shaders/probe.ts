/** Kernels that measure an adapter: how fast it multiplies and adds, and how fast it copies. */

/** Multiply-adds of one loop trip. */
const UNROLL = 48;

/**
 * Multiply-adds of vec4s in registers, nothing else, in `chains` independent sums: more hide the latency of a
 * multiply-add, fewer fit into the registers. Bindings: y. One invocation a texel of y.
 */
export function multiplyAdd(chains: number, trips: number): { code: string; flopsPerInvocation: number } {
  const sums = Array.from({ length: chains }, (_, c) => c), steps = Math.floor(UNROLL / chains);
  const step = sums.map((c) => `s${c} = fma(s${c}, a, b);`).join(" ");
  const code = `
fn kernel(i: u32) {
  let a = vec4f(f32(i & 7u) * 1e-3 + 0.5);
  let b = vec4f(f32(i & 3u) * 1e-3);
  ${sums.map((c) => `var s${c} = vec4f(${c + 1}.0) * a;`).join(" ")}
  for (var trip = 0u; trip < ${trips}u; trip++) {
    ${Array.from({ length: steps }, () => step).join("\n    ")}
  }
  store_y(i, ${sums.map((c) => `s${c}`).join(" + ")});
}`;
  return { code, flopsPerInvocation: 2 * 4 * chains * steps * trips };
}

/** y = x. Bindings: x, y. One invocation a texel. */
export const copy = `
fn kernel(i: u32) { store_y(i, load_x(i)); }`;
