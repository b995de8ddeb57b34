/** Kernels that measure an adapter: how fast it multiplies and adds, and how fast it copies. */

/** Independent sums of one invocation: enough to hide the latency of a multiply-add. */
const CHAINS = 4;
/** Multiply-adds of one chain in one loop trip. */
const UNROLL = 16;

/** Multiply-adds of vec4s in registers, nothing else. Bindings: y. One invocation a texel of y. */
export function multiplyAdd(trips: number): { code: string; flopsPerInvocation: number } {
  const chains = Array.from({ length: CHAINS }, (_, c) => c);
  const step = chains.map((c) => `s${c} = fma(s${c}, a, b);`).join(" ");
  const code = `
fn kernel(i: u32) {
  let a = vec4f(f32(i & 7u) * 1e-3 + 0.5);
  let b = vec4f(f32(i & 3u) * 1e-3);
  ${chains.map((c) => `var s${c} = vec4f(${c + 1}.0) * a;`).join(" ")}
  for (var trip = 0u; trip < ${trips}u; trip++) {
    ${Array.from({ length: UNROLL }, () => step).join("\n    ")}
  }
  store_y(i, ${chains.map((c) => `s${c}`).join(" + ")});
}`;
  return { code, flopsPerInvocation: 2 * 4 * CHAINS * UNROLL * trips };
}

/** y = x. Bindings: x, y. One invocation a texel. */
export const copy = `
fn kernel(i: u32) { store_y(i, load_x(i)); }`;
