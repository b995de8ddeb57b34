/** Items of a .npz one by one: the same bytes in whatever order, whether packed or not; damage is told. */
import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { writeNpy } from "../../src/formats/npy.ts";
import { DamagedArchive, NpzItems } from "../../src/formats/npz_items.ts";
import { fuzzAsync } from "./fuzz.ts";

const count = 5;
const size = 2 ** 15 + 2 ** 13;
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
      (error) => error instanceof DamagedArchive && /images\.npy.*not a sound \.npz/.test(error.message),
    );
  });
}

Deno.test("arrays whose items are not one after the other are refused", async () => {
  const bytes = npy.slice();
  const at = new TextDecoder("latin1").decode(bytes.subarray(0, 128)).indexOf("False");
  bytes.set(new TextEncoder().encode("True "), at);
  await assert.rejects(
    async () => await (await open(zipped(0, bytes))).read(0),
    /Fortran's order; np\.ascontiguousarray/,
  );
  await assert.rejects(
    async () => await (await open(zipped(0, npy.subarray(0, 1000)))).read(0),
    /takes 204800 bytes, there are 872/,
  );
  await assert.rejects(() => NpzItems.open(source(new Uint8Array(100)), "set.npz"), /set\.npz: not a sound \.npz/);
});

/** A .npz of 5 GiB, of which only what is not zero is there: what Python's zipfile writes. */
function huge(): { size: number; read(from: number, length: number): Uint8Array; count: number } {
  const count = 5 * 2 ** 30 / size;
  const header = writeNpy({ shape: [0, size], data: new Uint8Array(0) });
  const text = new TextDecoder().decode(header.subarray(10));
  header.set(new TextEncoder().encode(text.replace(`(0, ${size}), }      `, `(${count}, ${size}), }`)), 10);
  const packed = header.length + count * size;
  const start = 30 + 10;
  const end = start + packed;
  const directory = new DataView(new ArrayBuffer(46 + 10 + 4 + 16));
  const other = new DataView(new ArrayBuffer(56 + 20 + 22));
  const name = new TextEncoder().encode("images.npy");
  directory.setUint32(0, 0x02014b50, true);
  directory.setUint32(20, 0xffffffff, true);
  directory.setUint32(24, 0xffffffff, true);
  directory.setUint16(28, 10, true);
  directory.setUint16(30, 20, true);
  new Uint8Array(directory.buffer).set(name, 46);
  directory.setUint16(56, 1, true);
  directory.setUint16(58, 16, true);
  directory.setBigUint64(60, BigInt(packed), true);
  directory.setBigUint64(68, BigInt(packed), true);
  other.setUint32(0, 0x06064b50, true);
  other.setBigUint64(40, BigInt(directory.byteLength), true);
  other.setBigUint64(48, BigInt(end), true);
  other.setBigUint64(56 + 8, BigInt(end + directory.byteLength), true);
  other.setUint32(76, 0x06054b50, true);
  other.setUint32(76 + 12, directory.byteLength, true);
  other.setUint32(76 + 16, 0xffffffff, true);
  const local = new Uint8Array(30);
  local[26] = 10;
  const last = Uint8Array.of(7);
  const parts: [number, Uint8Array][] = [
    [0, local],
    [start, header],
    [end - 1, last],
    [end, new Uint8Array(directory.buffer)],
    [end + directory.byteLength, new Uint8Array(other.buffer)],
  ];
  return {
    count,
    size: end + directory.byteLength + other.byteLength,
    read(from, length) {
      const bytes = new Uint8Array(length);
      for (const [at, part] of parts) {
        const first = Math.max(from, at);
        const stop = Math.min(from + length, at + part.length);
        if (first < stop) bytes.set(part.subarray(first - at, stop - at), first - from);
      }
      return bytes;
    },
  };
}

Deno.test("items of an array of more than 4 GiB", async () => {
  const archive = huge();
  const items = (await NpzItems.open(archive, "set.npz")).get("images")!;
  assert.deepEqual(items.shape, [archive.count, size]);
  const last = await items.read(archive.count - 1);
  assert.deepEqual([last.length, last.at(-1), last.at(-2)], [size, 7, 0]);
});

Deno.test("damaged archives, item by item", async () => {
  const small = zipSync({ "images.npy": writeNpy({ shape: [3, 50], data: data.subarray(0, 150) }) });
  await fuzzAsync(small, 300, async (bytes) => {
    for (const items of (await NpzItems.open(source(bytes), "x")).values()) {
      for (const index of [0, 1, 2, 0]) await items.read(index);
      await items.whole();
    }
  });
});
