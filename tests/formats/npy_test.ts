import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { asFloat32, type NpyData, readNpy, readNpz, writeNpy } from "../../src/formats/npy.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { damageText } from "./damage.ts";
import { fuzz, fuzzAsync } from "./fuzz.ts";

/** A .npy file as NumPy would write it, version and header given. */
function npy(version: number, header: string, data: ArrayLike<number>): Uint8Array {
  const text = new TextEncoder().encode(header + "\n");
  const size = [text.length & 255, text.length >> 8 & 255, text.length >> 16, 0];
  const length = version === 1 ? size.slice(0, 2) : size;
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    version,
    0,
    ...length,
    ...text,
    ...Array.from(data),
  ]);
}
const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

Deno.test("npy: what is written is read again, for every element type and rank", () => {
  const arrays: [number[], NpyData, string][] = [
    [[2, 3], Float32Array.of(1, -2, 3.5, 0, 1e-30, 6), "f4"],
    [[2], Float64Array.of(0.1, -1), "f8"],
    [[1, 1, 3], Uint8Array.of(0, 128, 255), "u1"],
    [[2], Int8Array.of(-1, 5), "i1"],
    [[2], Uint16Array.of(1, 65535), "u2"],
    [[1], Int16Array.of(-300), "i2"],
    [[1], Uint32Array.of(4e9), "u4"],
    [[], Int32Array.of(-70000), "i4"],
    [[1], BigInt64Array.of(-(2n ** 60n)), "i8"],
    [[1], BigUint64Array.of(2n ** 63n), "u8"],
    [[0, 4], new Float32Array(0), "f4"],
  ];
  for (const [shape, data, dtype] of arrays) {
    const bytes = writeNpy({ shape, data });
    assert.equal((bytes.length - data.byteLength) % 64, 0);
    assert.deepEqual(readNpy(bytes, "x"), { shape, dtype, data });
  }
  assert.throws(() => writeNpy({ shape: [3], data: new Float32Array(2) }), RangeError);
});

Deno.test("npy: numbers of every type as float32", () => {
  const own = Float32Array.of(1, 2);
  assert.equal(asFloat32(own), own);
  for (
    const data of [Float64Array.of(1, 2), Uint8Array.of(1, 2), BigInt64Array.of(1n, 2n), BigUint64Array.of(1n, 2n)]
  ) {
    assert.deepEqual(asFloat32(data), own);
  }
});

Deno.test("npy: golden bytes", () => {
  const expected = npy(1, header("<f4", "(1,)").padEnd(117), [0, 0, 0x80, 0x3f]);
  assert.deepEqual(writeNpy({ shape: [1], data: Float32Array.of(1) }), expected);
});

Deno.test("npy: versions, byte orders, booleans, float16, Python 2 sizes and any key order", () => {
  assert.deepEqual([...readNpy(npy(2, header(">i2", "(2,)"), [1, 0, 255, 254]), "x").data], [256, -2]);
  assert.deepEqual([...readNpy(npy(3, header(">f8", "()"), [0x3f, 0xf0, 0, 0, 0, 0, 0, 0]), "x").data], [1]);
  assert.deepEqual(readNpy(npy(1, header("|b1", "(2L,)"), [1, 0]), "x"), {
    shape: [2],
    dtype: "b1",
    data: Uint8Array.of(1, 0),
  });
  assert.deepEqual(readNpy(npy(1, header("<f2", "(1,)"), [0, 0x3c]), "x").data, Float32Array.of(1));
  const reordered = "{'shape': (1, 1), 'fortran_order': False, 'descr': '|u1'}";
  assert.deepEqual(readNpy(npy(1, reordered, [7]), "x"), { shape: [1, 1], dtype: "u1", data: Uint8Array.of(7) });
});

Deno.test("npy: Fortran order becomes C order", () => {
  // a[i, j, k] = 100 i + 10 j + k of shape (2, 3, 2); the file runs through i first
  const stored: number[] = [];
  for (let k = 0; k < 2; k++) for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) stored.push(100 * i + 10 * j + k);
  const { shape, data } = readNpy(npy(1, header("|u1", "(2, 3, 2)", "True"), stored), "x");
  assert.deepEqual(shape, [2, 3, 2]);
  assert.deepEqual([...data], [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121]);
});

Deno.test("npy: each fault is named", () => {
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /code: this is empty, not a \.npy file/],
    [npy(4, header("|u1", "(0,)"), []), /version 4/],
    [npy(1, header("|u1", "(1,)"), [1]).subarray(0, 30), /truncated/],
    [npy(1, header("<f4", "(2,)"), [1, 2, 3]), /f4 \[2\] takes 8 bytes, the file holds 3/],
    [npy(1, header("<c8", "(1,)"), new Uint8Array(8)), /only arrays of plain numbers/],
    [npy(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", [0, 0, 0, 0]), /only arrays of plain/],
    [npy(1, "{'descr': '<f4'}", []), /malformed/],
    [npy(1, header("|u1", "(99999999999999999999,)"), []), /malformed/],
    [npy(2, header("|u1", `(${"1, ".repeat(30_000)})`), [1]), /a \.npy header of 90\d\d\d bytes/],
  ];
  for (const [bytes, message] of cases) assert.throws(() => readNpy(bytes, "code"), userError(message));
});

const zip = zipSync({
  "fc6.npy": writeNpy({ shape: [300], data: new Float32Array(300).map((_, i) => i % 7) }),
  "labels.npy": [writeNpy({ shape: [2], data: Uint8Array.of(1, 2) }), { level: 0 }],
});

Deno.test("npz: arrays by name, compressed or stored", async () => {
  const arrays = await readNpz(zip, "x");
  assert.deepEqual([...arrays.keys()], ["fc6", "labels"]);
  assert.equal(arrays.get("fc6")!.data[8], 1);
  assert.deepEqual([...arrays.get("labels")!.data], [1, 2]);
});

Deno.test("npz: broken files and bombs are refused", async () => {
  await assert.rejects(() => readNpz(new Uint8Array(100), "x"), userError(/x: not a sound \.npz/));
  await assert.rejects(() => readNpz(new Uint8Array(0), "x"), userError(/x: this is empty/));
  await assert.rejects(
    () => readNpz(zipSync({ "a.npy": Uint8Array.of(1, 2) }), "x"),
    userError(/x: "a\.npy": not a \.npy file/),
  );
  const entries = Array.from({ length: 40 }, (_, i) => [`${i}.npy`, [new Uint8Array(1e4), { level: 9 }]]);
  const bomb = zipSync(Object.fromEntries(entries));
  const directory = new DataView(bomb.buffer);
  for (let at = 0; at + 46 < bomb.length; at++) { // the directory claims a terabyte
    if (directory.getUint32(at, true) === 0x02014b50) directory.setUint32(at + 24, 25e9 / 40, true);
  }
  await assert.rejects(() => readNpz(bomb, "x"), userError(/sizes that no file of arrays has/));
});

Deno.test("npy, npz: damaged files", async () => {
  fuzz(npy(1, header("<f4", "(2, 3)", "True"), new Uint8Array(24)), 400, (bytes) => readNpy(bytes, "x"));
  await fuzzAsync(zip, 400, (bytes) => readNpz(bytes, "x"));
  const text = new TextEncoder().encode(header("<f4", "(2, 3)"));
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  fuzz(text, 600, (bytes) => readNpy(npy(2, decode(bytes), new Uint8Array(24)), "x"), { damage: damageText });
});

function userError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  };
}
