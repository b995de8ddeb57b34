/**
 * Double-float arithmetic: a number as the sum of two floats that do not overlap, `main`, which is the number rounded, and
 * `rest`, what rounding lost (Dekker 1971, "A floating-point technique for extending the available precision"; Knuth's
 * two-sum). Sums are exact but for the sum of the rests, products have 36 bits.
 *
 * Compilers of shaders may take additions in another order, factor sums and fuse or split `fma`. So a product is one of
 * halves of 12 bits, which is exact, plus the rest of it, where nothing cancels; and in the two-sum each subtraction that
 * would cancel has a factor of one that no compiler knows, each its own: no number has the bits that they ask a texel for.
 */
import { literal } from "./wgsl.ts";

/** WGSL for kernels of doubles. They begin with `hideOnes` of any texel of data. */
export const doubleFloat = `
struct Double { main: vec4f, rest: vec4f }
var<private> one: vec4f;
var<private> unit: vec4f;
fn hidden(texel: vec4f, bits: u32) -> vec4f { return select(vec4f(1.0), texel, bitcast<vec4u>(texel) == vec4u(bits)); }
fn hideOnes(texel: vec4f) {
  one = hidden(texel, 0xffffffffu);
  unit = hidden(texel, 0xfffffffeu);
}
fn high(v: vec4f) -> vec4f { return bitcast<vec4f>(bitcast<vec4u>(v) & vec4u(0xfffff000u)); }
fn twoSum(a: vec4f, b: vec4f) -> Double {
  let s = a + b;
  let q = fma(s, one, -a);
  return Double(s, (a - fma(s, unit, -q)) + (b - q));
}
fn twoProduct(a: vec4f, b: vec4f) -> Double {
  let ah = high(a);
  let bh = high(b);
  return twoSum(ah * bh, fma(ah, b - bh, (a - ah) * b));
}
fn orInfinite(v: Double, plain: vec4f) -> Double {
  let finite = abs(plain) <= vec4f(3.4028234e38);
  return Double(select(plain, v.main, finite), select(vec4f(), v.rest, finite));
}
fn plus(a: Double, b: Double) -> Double {
  let s = twoSum(a.main, b.main);
  return orInfinite(twoSum(s.main, s.rest + (a.rest + b.rest)), s.main);
}
fn times(a: Double, b: Double) -> Double {
  let p = twoProduct(a.main, b.main);
  return orInfinite(twoSum(p.main, p.rest + (a.main * b.rest + a.rest * b.main)), a.main * b.main);
}
fn rectified(v: Double, slope: Double) -> Double {
  let below = times(v, slope);
  let positive = v.main > vec4f();
  return Double(select(below.main, v.main, positive), select(below.rest, v.rest, positive));
}
fn raised(v: Double, low: f32) -> Double {
  let under = (v.main < vec4f(low)) | ((v.main == vec4f(low)) & (v.rest < vec4f()));
  return Double(max(v.main, vec4f(low)), select(v.rest, vec4f(), under));
}
fn lowered(v: Double, high: f32) -> Double {
  let over = (v.main > vec4f(high)) | ((v.main == vec4f(high)) & (v.rest > vec4f()));
  return Double(min(v.main, vec4f(high)), select(v.rest, vec4f(), over));
}`;

/** A number as a WGSL `Double`. */
export function doubleLiteral(value: number): string {
  const main = Math.fround(value);
  const rest = Math.fround(value - main);
  return `Double(vec4f(${literal(main)}), vec4f(${literal(rest)}))`;
}

/** WGSL that loads texel `at` of a tensor: with its rest, where it has one. */
export const loadDouble = (name: string, at: string, hasRest: boolean): string =>
  `Double(load_${name}(${at}), ${hasRest ? `load_${name}_rest(${at})` : "vec4f()"})`;

/** WGSL that stores a `Double` as texel `at` of y and its rest, after a ReLU where there is one. */
export function storeDouble(at: string, value: string, relu?: { slope: number }): string {
  const stored = relu ? `rectified(${value}, ${doubleLiteral(relu.slope)})` : value;
  return `{ let stored = ${stored}; let at = ${at}; store_y(at, stored.main); store_y_rest(at, stored.rest); }`;
}

/**
 * y = `expression` of Doubles: of inputs at the same texel, and of vectors with one value for each of `blocks` blocks of
 * channels of `area` positions. Where NAME has a rest, NAME_rest is among the names. Bindings: these, y and y_rest.
 */
export function elementwiseDouble(
  inputs: readonly string[],
  vectors: readonly string[],
  { blocks, area }: { blocks: number; area: number },
  expression: string,
  relu?: { slope: number },
): string {
  const declare = (names: readonly string[], at: string) =>
    names.filter((name) => !name.endsWith("_rest"))
      .map((name) => `let ${name} = ${loadDouble(name, at, names.includes(`${name}_rest`))};`).join(" ");
  return `${doubleFloat}
fn kernel(i: u32) {
  hideOnes(load_${inputs[0]}(i));
  let block = i / ${area}u % ${blocks}u;
  ${declare(inputs, "i")} ${declare(vectors, "block")}
  ${storeDouble("i", expression, relu)}
}`;
}
