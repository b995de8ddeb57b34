/** Kernels that make each texel from the texels at the same place: one invocation a texel, any number of inputs. */

/** out = `expression`, in which the texel of input b is called `b`. */
export function elementwise(inputs: readonly string[], expression: string): string {
  return `
fn kernel(i: u32) {
  ${inputs.map((name) => `let ${name} = load_${name}(i);`).join(" ")}
  store_out(i, ${expression});
}`;
}

/** out = `expression` of inputs and of vectors with one value a channel; maps of `channels` channels, `area` positions. */
export function channelwise(
  inputs: readonly string[],
  vectors: readonly string[],
  channels: number,
  area: number,
  expression: string,
): string {
  return `
fn kernel(i: u32) {
  let block = i / ${area}u % ${Math.ceil(channels / 4)}u;
  ${inputs.map((name) => `let ${name} = load_${name}(i);`).join(" ")}
  ${vectors.map((name) => `let ${name} = load_${name}(block);`).join(" ")}
  store_out(i, ${expression});
}`;
}

/** 1 / (1 + e^−x). */
export const sigmoid = (x: string): string => `(1.0 / (1.0 + exp(-${x})))`;

/** The hyperbolic tangent, written so that no exponential overflows. */
export const tanh = (x: string): string =>
  `(sign(${x}) * (1.0 - exp(-2.0 * abs(${x}))) / (1.0 + exp(-2.0 * abs(${x}))))`;
