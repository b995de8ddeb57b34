/** Kernels that make each texel from the texels at the same place: one invocation a texel, any number of inputs. */

/** out = `expression`, in which the texel of input b is called `b`. */
export function elementwise(inputs: readonly string[], expression: string): string {
  return `
fn kernel(i: u32) {
  ${inputs.map((name) => `let ${name} = load_${name}(i);`).join(" ")}
  store_out(i, ${expression});
}`;
}

/** y = x · a[c] + b[c], or without b; a map of `blocks` channel blocks and `area` positions an item. */
export function affine(blocks: number, area: number, shifted: boolean): string {
  return `
fn kernel(i: u32) {
  let block = i / ${area}u % ${blocks}u;
  store_y(i, load_x(i) * load_a(block)${shifted ? " + load_b(block)" : ""});
}`;
}
