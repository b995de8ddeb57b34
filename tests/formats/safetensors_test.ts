import assert from "node:assert/strict";
import {
  allFinite,
  fromFloat32,
  readSafetensors,
  type StoredTensor,
  toFloat32,
  writeSafetensors,
} from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { damageSafetensors } from "./damage.ts";
import { fuzz } from "./fuzz.ts";

const file = (header: unknown, data: number[] = []) => {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  return Uint8Array.from([...new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer), ...json, ...data]);
};

const sample = new Map<string, StoredTensor>([
  ["odd", { dtype: "I8", shape: [3], bytes: Uint8Array.of(1, 2, 255) }],
  ["a.weight", fromFloat32([1, -2.5, 3e-8, 65504, 0, -0], "F32", [2, 3])],
  ["half", fromFloat32([1, 2, 3], "F16", [3, 1])],
  ["empty", { dtype: "F32", shape: [0, 7], bytes: new Uint8Array(0) }],
  ["scalar", { dtype: "I64", shape: [], bytes: new Uint8Array(BigInt64Array.of(-5n).buffer) }],
]);

Deno.test("safetensors: what is written is read again, aligned, and equal tensors give equal bytes", () => {
  const bytes = writeSafetensors(sample, { origin: "tëst" });
  const read = readSafetensors(bytes, "x");
  assert.deepEqual([...read.keys()], ["scalar", "a.weight", "empty", "half", "odd"]);
  for (const [name, tensor] of sample) assert.deepEqual({ ...read.get(name)! }, tensor);
  assert.equal(read.get("a.weight")!.bytes.byteOffset % 4, 0);
  assert.equal(read.get("a.weight")!.bytes.buffer, bytes.buffer);
  assert.deepEqual(writeSafetensors(new Map([...sample].reverse()), { origin: "tëst" }), bytes);
});

Deno.test("safetensors: tensors of any other type are kept as they are, and told when their values are asked for", () => {
  const others = new Map<string, StoredTensor>([
    ["wide", { dtype: "U64", shape: [1], bytes: new Uint8Array(8).fill(3) }],
    ["fp8", { dtype: "F8_E4M3", shape: [3], bytes: Uint8Array.of(7, 8, 9) }],
    ["fp4", { dtype: "F4", shape: [4], bytes: Uint8Array.of(1, 2) }],
    ["none", { dtype: "toString", shape: [0], bytes: new Uint8Array(0) }],
  ]);
  const read = readSafetensors(writeSafetensors(new Map([...others, ...sample])), "x");
  for (const [name, tensor] of [...others, ...sample]) assert.deepEqual({ ...read.get(name)! }, tensor);
  assert.equal(read.get("wide")!.bytes.byteOffset % 8, 0);
  assert.throws(
    () => toFloat32(read.get("fp8")!, 'x: "fp8"'),
    /^UserError: x: "fp8" is of type "F8_E4M3", expected one/,
  );
  assert.throws(() => toFloat32(read.get("none")!), UserError);
});

Deno.test("safetensors: golden bytes", () => {
  const bytes = writeSafetensors(new Map([["t", fromFloat32([1], "F32", [1])]]));
  const header = '{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.padEnd(56);
  assert.deepEqual(bytes, file(header, [0, 0, 0x80, 0x3f]));
});

Deno.test("safetensors: every type converts to float32, from any byte offset", () => {
  const cases: [string, ArrayBuffer, number[]][] = [
    ["F64", Float64Array.of(1.5, 0.1).buffer, [1.5, Math.fround(0.1)]],
    ["F32", Float32Array.of(-1.25).buffer, [-1.25]],
    ["F16", Uint16Array.of(0x3c00, 0x0001, 0x7bff, 0xfc00).buffer, [1, 2 ** -24, 65504, -Infinity]],
    ["BF16", Uint16Array.of(0x3f80, 0xc049).buffer, [1, -3.140625]],
    ["I8", Int8Array.of(-128, 127).buffer, [-128, 127]],
    ["U8", Uint8Array.of(0, 255).buffer, [0, 255]],
    ["I32", Int32Array.of(-70000).buffer, [-70000]],
    ["I64", BigInt64Array.of(-7n, 2n ** 40n).buffer, [-7, 2 ** 40]],
  ];
  for (const [dtype, buffer, expected] of cases) {
    for (const shift of [0, 1]) {
      const bytes = new Uint8Array(buffer.byteLength + shift).subarray(shift);
      bytes.set(new Uint8Array(buffer));
      assert.deepEqual([...toFloat32({ dtype, shape: [expected.length], bytes })], expected, `${dtype} + ${shift}`);
    }
  }
});

Deno.test("safetensors: float16 rounds to nearest, ties to even", () => {
  const bits = (values: number[]) => [...new Uint16Array(fromFloat32(values, "F16", [values.length]).bytes.buffer)];
  assert.deepEqual(bits([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 1.5 * 2 ** -24]), [0x3c00, 0x3c02, 0, 2]);
  assert.deepEqual(bits([65519, 65520, -0]), [0x7bff, 0x7c00, 0x8000]);
});

Deno.test("safetensors: each fault is named", () => {
  const tensor = (begin: number, end: number) => ({ dtype: "U8", shape: [end - begin], data_offsets: [begin, end] });
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(3), /model: .*8 bytes of header length, the file has 3/],
    [Uint8Array.from([...new Uint8Array(8).fill(255), 1]), /not a safetensors file/],
    [file({ a: tensor(0, 4) }, [1, 2, 3, 4]).subarray(0, 20), /truncated/],
    [file("nonsense"), /not JSON/],
    [file(`{"a":${JSON.stringify(tensor(0, 1))},"\\u0061":${JSON.stringify(tensor(0, 1))}}`, [0]), /gives "a" twice/],
    [file("[]"), /not a JSON object/],
    [file(`{"a":${"[".repeat(101)}${"]".repeat(101)}}`), /not JSON/],
    [file({ '"[{\\': { ...tensor(0, 1), shape: ["[[[["] } }, [0]), /tensor "\\"\[\{\\\\": shape/],
    [file({ a: 1 }), /tensor "a": dtype \(missing\) is not the name of a type/],
    [file({ a: { ...tensor(0, 9), dtype: "F8_E4M3" } }, [0]), /tensor "a": ends at byte 9 of the data/],
    [file({ a: { ...tensor(0, 1), shape: [-1] } }, [0]), /shape \[-1\]/],
    [file({ a: { ...tensor(0, 1), shape: [2] } }, [0]), /takes 2 bytes, data_offsets give 1/],
    [file({ a: { ...tensor(0, 1), shape: [1e15, 1e15, 1e15] } }, [0]), /takes 1\.0\d*e\+45 bytes/],
    [file({ a: { ...tensor(0, 1), shape: [...Array(30).fill(1e15), 0] } }, [0]), /takes 0 bytes, data_offsets give 1/],
    [file({ a: { ...tensor(0, 1), data_offsets: [1, 0] } }, [0]), /data_offsets \[1,0\]/],
    [file({ a: tensor(0, 9) }, [0]), /tensor "a": ends at byte 9 of the data, the file holds 1/],
    [file({ a: tensor(0, 2), b: tensor(1, 3) }, [0, 0, 0]), /tensor "b" overlaps .*byte 1, expected 2/],
    [file({ a: tensor(0, 1), b: tensor(2, 3) }, [0, 0, 0]), /tensor "b" leaves a hole .*byte 2, expected 1/],
    [file({ a: tensor(0, 1) }, [0, 0]), /describes 1 bytes of tensors, the file holds 2/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => readSafetensors(bytes, "model"), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("safetensors: damaged files", () => {
  for (const damage of [undefined, damageSafetensors]) {
    const read = (bytes: Uint8Array) => readSafetensors(bytes, "x").forEach(toFloat32);
    fuzz(writeSafetensors(sample, { origin: "test" }), 600, read, { damage });
  }
});

Deno.test("safetensors: NaN, infinity and what float32 cannot hold are found in every type, at any place and alignment", () => {
  const arrays = { F32: Float32Array, F64: Float64Array, F16: Float16Array };
  for (const [dtype, Array] of Object.entries(arrays)) {
    for (const length of [1, 20_000]) { // more than one piece of 64 KiB
      for (const [value, finite] of [[-60_000, true], [NaN, false], [-Infinity, false], [1e300, false]] as const) {
        const values = new Array(length).fill(1);
        values[length - 1] = value;
        const bytes = new Uint8Array(values.byteLength + 1);
        bytes.set(new Uint8Array(values.buffer), 1);
        const tensor = { dtype: dtype as "F32", shape: [length], bytes: bytes.subarray(1) };
        assert.equal(allFinite(tensor), finite, `${dtype} ${value} of ${length}`);
      }
    }
  }
  const half = (bits: number) => ({ dtype: "BF16" as const, shape: [1], bytes: Uint8Array.of(bits & 255, bits >> 8) });
  assert.deepEqual([0x7f7f, 0xff80, 0x7fc0].map((bits) => allFinite(half(bits))), [true, false, false]);
  assert.ok(allFinite({ dtype: "I8", shape: [1], bytes: Uint8Array.of(255) }));
});
