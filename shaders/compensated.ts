/**
 * Sums of products with ten bits more than float32 has: what rounding loses of each product and each addition is carried
 * along in a second sum (after Ogita, Rump and Oishi 2005, "Accurate sum and dot product").
 *
 *   m · x = high(m) · high(x) + (high(m) · low(x) + low(m) · x)     the first product is exact: 12 bits by 12 bits
 *   sum + p = s + ((sum − (s − q)) + (p − q)),  q = s − sum          Knuth's two-sum, exact
 *
 * Compilers of shaders may take additions in another order and fuse or split `fma`. Exact products do not mind; in the
 * two-sum every subtraction that would cancel is multiplied by a `one` that no compiler knows.
 */

/** WGSL outside the kernel. */
export const compensatedFunctions = `
fn high(v: vec4f) -> vec4f { return bitcast<vec4f>(bitcast<vec4u>(v) & vec4u(0xfffff000u)); }`;

/** WGSL that declares `one`, from any texel of data: no number has its bits all set. */
export const opaqueOne = (texel: string): string =>
  `let one = vec4f(select(1.0, 0.0, bitcast<u32>(${texel}.x) == 0xffffffffu));`;

/** WGSL that declares the parts `name`_h and `name`_l of a factor. */
export const split = (name: string): string => `let ${name}_h = high(${name}); let ${name}_l = ${name} - ${name}_h;`;

/** WGSL that adds m · x, factors that are split, to `sum` with `lost`; `lane` picks one of x's. */
export function addProduct(sum: string, lost: string, m: string, x: string, lane: string): string {
  return `{ let p = ${m}_h * ${x}_h.${lane}; let s = ${sum} + p; let q = fma(s, one, -${sum});
        ${lost} += (${sum} - fma(s, one, -q)) + (p - q) + fma(${m}_h, vec4f(${x}_l.${lane}), ${m}_l * ${x}.${lane});
        ${sum} = s; }`;
}
