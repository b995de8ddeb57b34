/** Kernels that make each texel from the texels at the same place: one invocation a texel, any number of inputs. */
import { channelBlocks } from "./texels.ts";
import { constants } from "./wgsl.ts";

/** WGSL that loads texel `at` of each binding under its own name. */
const loads = (names: readonly string[], at: string): string =>
  names.map((name) => `let ${name} = load_${name}(${at});`).join("\n  ");

/** out = `expression`, in which the texel of input b is called `b`. */
export function elementwise(inputs: readonly string[], expression: string): string {
  return `
fn kernel(i: u32) {
  ${loads(inputs, "i")}
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
${constants({ AREA: area, BLOCKS: channelBlocks(channels) })}
fn kernel(i: u32) {
  let block = i / AREA % BLOCKS;
  ${loads(inputs, "i")}
  ${loads(vectors, "block")}
  store_out(i, ${expression});
}`;
}

/** 1 / (1 + e^−x). */
export const sigmoid = (x: string): string => `(1.0 / (1.0 + exp(-${x})))`;

/** The hyperbolic tangent, written so that no exponential overflows. */
export const tanh = (x: string): string =>
  `(sign(${x}) * (1.0 - exp(-2.0 * abs(${x}))) / (1.0 + exp(-2.0 * abs(${x}))))`;

/** The error function of x within ±4, past which it is ±1 in float32: an odd by an even polynomial (Eigen's). */
export function erf(x: string): string {
  const bounded = `clamp(${x}, vec4f(-4.0), vec4f(4.0))`;
  const squared = `(${bounded} * ${bounded})`;
  const polynomial = (first: string, ...rest: string[]) =>
    rest.reduce((sum, next) => `(${sum} * ${squared} + ${next})`, first);
  const odd = polynomial(
    "-2.72614225801306e-10",
    "2.77068142495902e-8",
    "-2.10102402082508e-6",
    "-5.69250639462346e-5",
    "-7.34990630326855e-4",
    "-2.95459980854025e-3",
    "-1.60960333262415e-2",
  );
  const even = polynomial(
    "-1.45660718464996e-5",
    "-2.13374055278905e-4",
    "-1.68282697438203e-3",
    "-7.37332916720468e-3",
    "-1.42647390514189e-2",
  );
  return `(${bounded} * ${odd} / ${even})`;
}
