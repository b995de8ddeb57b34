/** Items of a .npz one by one: the same bytes in whatever order, whether packed or not; damage is told. */
import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { writeNpy } from "../../src/formats/npy.ts";
import { NpzItems } from "../../src/formats/npz_items.ts";
import { UserError } from "../../src/formats/user_error.ts";

const count = 5, size = 40_000; // each item is longer than a piece of the archive is for some of them
const data = Uint8Array.from({ length: count * size }, (_, n) => (n * n) >> 7);
const npy = writeNpy({ shape: [count, size], data });

const source = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (from: number, length: number) => bytes.subarray(from, from + length),
});
const open = async (bytes: Uint8Array) => (await NpzItems.open(source(bytes), "set.npz")).get("images")!;
const zipped = (level: 0 | 6, content = npy) => zipSync({ "images.npy": [content, { level }] });

for (const level of [0, 6] as const) {
  Deno.test(`items of an array at level ${level}, in order and out of it`, async () => {
    const items = await open(zipped(level));
    assert.deepEqual([items.shape, items.dtype], [[count, size], "u1"]);
    for (const index of [0, 1, 2, 3, 4, 2, 0, 3, 3, 4]) {
      assert.deepEqual(await items.read(index), data.slice(index * size, (index + 1) * size), `${index}`);
    }
    assert.deepEqual(await items.whole(), npy);
  });

  Deno.test(`a byte that is wrong at level ${level} is told at the end of a pass`, async () => {
    const bytes = zipped(level);
    bytes[level === 0 ? 100_000 : bytes.length - 200] ^= 1;
    const items = await open(bytes);
    const pass = async () => {
      for (let index = 0; index < count; index++) await items.read(index);
    };
    await assert.rejects(
      pass,
      (error) => error instanceof UserError && /images\.npy.*not a sound \.npz/.test(error.message),
    );
  });
}

Deno.test("arrays whose items are not one after the other are refused", async () => {
  const bytes = npy.slice(), at = new TextDecoder("latin1").decode(bytes.subarray(0, 128)).indexOf("False");
  bytes.set(new TextEncoder().encode("True "), at);
  await assert.rejects(
    async () => await (await open(zipped(0, bytes))).read(0),
    /Fortran's order; np\.ascontiguousarray/,
  );
  await assert.rejects(
    async () => await (await open(zipped(0, npy.subarray(0, 1000)))).read(0),
    /takes 200000 bytes, there are 872/,
  );
  await assert.rejects(() => NpzItems.open(source(new Uint8Array(100)), "set.npz"), /set\.npz: not a sound \.npz/);
});
