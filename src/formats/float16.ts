/**
 * Half floats as their 16 bits: sign, 5 bits of exponent, 10 of fraction. Browsers have had WebGPU for longer than
 * `Float16Array`.
 */

/** The float of each of the 65,536 half floats, made when first asked for. */
let widened: Float32Array | undefined;

/** What half floats are, exactly. */
export function fromHalves(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const table = widened ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => widen(bits));
  const values = new Float32Array(halves.length);
  for (let n = 0; n < halves.length; n++) values[n] = table[halves[n]];
  return values;
}

function widen(bits: number): number {
  const exponent = bits >> 10 & 31;
  const fraction = bits & 1023;
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The nearest half float's bits, of two that are as near the even one's; infinity beyond ±65504. */
export function halfOf(value: number): number {
  float[0] = value;
  const bits = word[0];
  const sign = bits >>> 16 & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 half floats are whole multiples of 2^-24: adding 0.5 leaves these in the float's last bits, rounded.
  if (size < 0x38800000) {
    float[0] = Math.abs(float[0]) + 0.5;
    return sign | word[0] - 0x3f000000;
  }
  return sign | size - 0x38000000 + 0xfff + (size >>> 13 & 1) >>> 13;
}
