import assert from "node:assert/strict";
import { fromHalves, halfOf } from "../../src/formats/float16.ts";

const all = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);

Deno.test("every half float is the float that the engine makes of it, and back again", () => {
  const values = fromHalves(all);
  new Float16Array(all.buffer).forEach((value, bits) => assert.ok(Object.is(values[bits], value), `${bits}`));
  for (const bits of all) if (!Number.isNaN(values[bits])) assert.equal(halfOf(values[bits]), bits);
  assert.equal(halfOf(NaN) & 0x7fff, 0x7e00);
});

Deno.test("floats between half floats round as the engine rounds them, halfway to the even one", () => {
  const values = fromHalves(all);
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  const tried: number[] = [65519.996, 65520, 1e30, Infinity, -1e-30, 2 ** -25, 2 ** -25 * 1.0001, 0.3];
  for (let bits = 0; bits < 0x7bff; bits += 7) {
    float[0] = (values[bits] + values[bits + 1]) / 2;
    tried.push(float[0]);
    word[0]++;
    tried.push(float[0]);
    word[0] -= 2;
    tried.push(float[0]);
  }
  const expected = new Float16Array(1);
  const pattern = new Uint16Array(expected.buffer);
  for (const value of tried.flatMap((value) => [value, -value])) {
    expected[0] = Math.fround(value);
    assert.equal(halfOf(value), pattern[0], `${value}`);
  }
});
