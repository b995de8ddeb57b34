/** The wire format's every form of a blob, and damaged files. */
import assert from "node:assert/strict";
import { toFloat32 } from "../../../src/formats/safetensors.ts";
import { readCaffemodel, readMeanFile } from "../../../tools/convert/caffe/caffemodel.ts";
import { damageProtobuf } from "../../formats/damage.ts";
import { fuzz } from "../../formats/fuzz.ts";
import { type Blob, blobProto, caffemodel, type Generation } from "./caffe_files.ts";
import { refuses } from "./converted.ts";
import { bytesField, join, text } from "./protobuf.ts";

const data = [1, -2.5, 3, 0.25, 5, 6];

Deno.test("caffemodel: each generation and each form of a blob", () => {
  const forms: Partial<Blob>[] = [{}, { loose: true }, { double: true }, { double: true, loose: true }, {
    legacy: true,
  }];
  for (const generation of ["v2", "v1", "v0"] as Generation[]) {
    for (const form of forms) {
      const bytes = caffemodel(
        { none: [], ip: [{ shape: [2, 3], data, ...form }, { shape: [1], data: [7] }] },
        generation,
      );
      const layers = readCaffemodel(bytes, "f");
      const [weight, bias] = layers.get("ip")!;
      assert.deepEqual([...layers.keys()], ["none", "ip"]);
      assert.deepEqual(weight.shape, form.legacy ? [1, 1, 2, 3] : [2, 3]);
      assert.equal(weight.dtype, form.double ? "F64" : "F32");
      assert.deepEqual([...toFloat32(weight)], data);
      assert.deepEqual([...toFloat32(bias)], [7]);
      assert.equal(weight.bytes.buffer === bytes.buffer, !form.loose, "packed values are a view into the file");
    }
  }
});

Deno.test("caffemodel: of two layers of one name the later one with blobs counts", () => {
  const first = caffemodel({ a: [{ shape: [1], data: [1] }] });
  const second = caffemodel({ a: [{ shape: [1], data: [2] }] });
  const layers = readCaffemodel(Uint8Array.from([...first, ...second, ...caffemodel({ a: [] })]), "f");
  assert.deepEqual([...toFloat32(layers.get("a")![0])], [2]);
});

Deno.test("caffemodel: a mean file's channels", () => {
  const mean = blobProto({ shape: [1, 3, 1, 2], data: [1, 3, 10, 20, 0, 0], legacy: true });
  assert.deepEqual(readMeanFile(mean, "f"), [2, 15, 0]);
  assert.deepEqual(readMeanFile(blobProto({ shape: [3, 1, 2], data: [1, 3, 10, 20, 0, 0], double: true }), "f"), [
    2,
    15,
    0,
  ]);
  refuses(
    () => readMeanFile(blobProto({ shape: [3], data: [1, 2, 3] }), "f"),
    /f: its shape is \[3\], expected a mean image/,
  );
});

Deno.test("caffemodel: damaged files", () => {
  const bytes = caffemodel({ ip: [{ shape: [2, 3], data }] });
  refuses(() => readCaffemodel(bytes.subarray(0, bytes.length - 3), "f"), /^f: the file is cut off, or is no protobuf/);
  refuses(() => readCaffemodel(new TextEncoder().encode('name: "net"'), "f"), /^f: /);
  refuses(() => readCaffemodel(new Uint8Array(0), "f"), /^f: this is empty, not a caffemodel$/);
  refuses(
    () => readCaffemodel(Uint8Array.of(0xa2, 6, ...Array(12).fill(255)), "f"),
    /a number does not end at byte 12/,
  );
  refuses(
    () => readCaffemodel(caffemodel({ ip: [{ shape: [2, 4], data }] }), "f"),
    /^f: the blob at byte \d+ has shape \[2,4\] and 6 values$/,
  );
  const minus = Uint8Array.of(8 | 0, 254, 255, 255, 255, 255, 255, 255, 255, 255, 1); // −2
  const four = Float32Array.from([1, 2, 3, 4]);
  refuses(
    () => readMeanFile(join(bytesField(7, join(minus, minus)), bytesField(5, new Uint8Array(four.buffer))), "f"),
    /^f: the blob at byte \d+ has shape \[.*\] and 4 values$/,
  );
});

Deno.test("caffemodel: a layer of the oldest generation with more blobs than a call has arguments", () => {
  const empty = bytesField(50, new Uint8Array(0));
  const blobs = new Uint8Array(200_000 * empty.length);
  for (let at = 0; at < blobs.length; at += empty.length) blobs.set(empty, at);
  const bytes = bytesField(2, bytesField(1, join(bytesField(1, text("ip")), blobs)));
  assert.equal(readCaffemodel(bytes, "f").get("ip")!.length, 200_000);
});

Deno.test("binaryproto: damaged files give means or one sentence", () => {
  for (const form of [{}, { legacy: true, double: true }, { loose: true }]) {
    const mean = blobProto({ shape: [1, 3, 2, 2], data: Array(12).fill(100), ...form });
    for (const damage of [undefined, damageProtobuf((path) => path === "7")]) {
      fuzz(mean, 300, (damaged) => readMeanFile(damaged, "f"), { damage });
    }
  }
});
