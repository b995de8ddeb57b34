/**
 * A convolution's sums in double-float arithmetic (../double_float.ts has what it rests on).
 *
 *   sum + lost  +=  w · (x + rest)        w = wʰ + wˡ, x = xʰ + xˡ in halves of 12 bits, so that wʰ · xʰ is exact
 *
 * A two-sum adds wʰ · xʰ to the sum; what it rounds away goes to what is lost, with wʰ · xˡ, wˡ · x and w · rest, among
 * which nothing cancels. Weights have no rest; the source has one where the layer before kept it.
 */
import { wgsl } from "wgsl-preprocessor";
import { doubleFloat, storeDouble } from "../double_float.ts";
import type { Arithmetic } from "./arithmetic.ts";
import { weightBlock } from "./blocks.ts";
import type { ConvKernel } from "./shape.ts";

const factors = `
struct Factor {
  whole: vec4f,
  high: vec4f,
  low: vec4f,
}

fn factor(whole: vec4f) -> Factor {
  let upper = high(whole);
  return Factor(whole, upper, whole - upper);
}

fn factors(weights: mat4x4f) -> array<Factor, 4> {
  return array<Factor, 4>(factor(weights[0]), factor(weights[1]), factor(weights[2]), factor(weights[3]));
}

struct Texel {
  value: Factor,
  rest: vec4f,
}`;

const multiplyAdd = (from: boolean) =>
  wgsl`
fn addProduct(sum: Double, weight: Factor, value: Factor, rest: vec4f) -> Double {
  let exact = twoSum(sum.main, weight.high * value.high);
  #if ${from}
  let lesser = fma(weight.high, value.low, fma(weight.whole, rest, weight.low * value.whole));
  #else
  let lesser = fma(weight.high, value.low, weight.low * value.whole);
  #endif
  return Double(exact.main, sum.rest + (exact.rest + lesser));
}

fn multiplyAdd(sum: Double, weights: array<Factor, 4>, texel: Texel) -> Double {
  let v = texel.value;
  let first = addProduct(sum, weights[0], Factor(v.whole.xxxx, v.high.xxxx, v.low.xxxx), texel.rest.xxxx);
  let second = addProduct(first, weights[1], Factor(v.whole.yyyy, v.high.yyyy, v.low.yyyy), texel.rest.yyyy);
  let third = addProduct(second, weights[2], Factor(v.whole.zzzz, v.high.zzzz, v.low.zzzz), texel.rest.zzzz);
  return addProduct(third, weights[3], Factor(v.whole.wwww, v.high.wwww, v.low.wwww), texel.rest.wwww);
}`;

/** The arithmetic of a kernel whose source has rests (`from`), or whose destination shall have them (`to`). */
export function double({ from, to, relu }: NonNullable<ConvKernel["double"]>): Arithmetic {
  const exact = (value = "vec4f()") => `Double(${value}, vec4f())`;
  const scaled = (value: string, scale?: string) => scale ? `${value} * ${scale}` : value;
  return {
    functions: `${doubleFloat}\n${factors}\n${multiplyAdd(from)}`,
    begin: "hideOnes(load_x(0u));",
    type: "Double",
    texel: (place, r, scale) => {
      const rest = from ? scaled(`sourceRest(${place}, ${r})`, scale) : "vec4f()";
      return `Texel(factor(${scaled(`sourceTexel(${place}, ${r})`, scale)}), ${rest})`;
    },
    weights: (block) => `factors(${block})`,
    block: "mat4x4f",
    weightBlock,
    finished: (sum, scale, bias) => `plus(${scale ? `times(${sum}, ${exact(scale)})` : sum}, ${exact(bias)})`,
    store: `
fn storeTexel(texel: u32, value: Double) {
  ${to ? storeDouble("texel", "value", relu) : "store_y(texel, value.main);"}
}`,
  };
}
