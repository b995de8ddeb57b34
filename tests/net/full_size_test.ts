/** CaffeNet's fc6: 150,994,944 bytes of f32 weights, more than the 134,217,728 that one binding may show. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { GpuError } from "../../src/gpu/error.ts";
import type { Model } from "../../src/net/model.ts";
import { Net } from "../../src/net/net.ts";
import { parseNetwork } from "../../src/net/network.ts";
import { pretend } from "../gpu/pretend.ts";
import { uniform } from "../reference/random.ts";

/** A fully connected layer of CaffeNet's fc6's shape, each dimension divided by so many, and what float64 makes of it. */
function fc6(divisor: number) {
  const [features, units] = [9216 / divisor, 4096 / divisor];
  const network = {
    name: "fc6",
    inputs: [{ name: "pool5", shape: [256 / divisor, 6, 6] }],
    layers: [{ name: "fc6", type: "fc", input: "pool5", channels: units, bias: false }],
  };
  const next = uniform(1);
  const weights = Float32Array.from({ length: features * units }, () => next() - 0.5);
  const x = Float32Array.from({ length: features }, (_, i) => Math.sin(i));
  const model: Model = {
    name: "fc6",
    where: "fc6",
    network: parseNetwork(JSON.stringify(network), "fc6"),
    weights: new Map([["fc6.weight", {
      dtype: "F32",
      shape: [units, features],
      bytes: new Uint8Array(weights.buffer),
    }]]),
    labels: [],
    hash: "",
  };
  const expected = Array.from({ length: units }, (_, o) => {
    let sum = 0;
    for (let i = 0; i < features; i++) sum += weights[o * features + i] * x[i];
    return sum;
  });
  const row = (unit: number) => weights.subarray(unit * features, (unit + 1) * features);
  return { model, x, expected, row };
}

/** As it is, and with a sixteenth of its weights, for limits that are a sixteenth too. */
const full = fc6(1);
const part = fc6(4);

/** The largest difference over the largest magnitude. */
function distance(values: Float32Array, exact: ArrayLike<number>): number {
  let off = 0;
  let largest = 0;
  values.forEach((value, i) => {
    off = Math.max(off, Math.abs(value - exact[i]));
    largest = Math.max(largest, Math.abs(exact[i]));
  });
  return off / largest;
}

const adapter = await openDevice();
for (
  const [storage, limits, { model, x, expected, row }, unit, bytes] of [
    ["buffer", { maxBinding: 2 ** 27 }, full, 3210, 150_994_944],
    ["texture", { maxTexture: 8192 / 16 }, part, 321, 9_437_184],
  ] as const
) {
  Deno.test(`fc6 of ${bytes} bytes, ${storage}: output and gradient`, async () => {
    const device = pretend(adapter, limits, storage);
    using net = await Net.create(device, model, { gradient: true });
    const [weight] = net.pieces;
    assert.deepEqual(weight, {
      label: "fc6.weight",
      bytes,
      format: "f32",
      parts: 2,
      weight: true,
    });
    const { output, gradient } = await net.gradient(x, unit);
    // Sums of 9216 products in float32.
    assert.ok(distance(output, expected) < 1e-5);
    assert.ok(distance(gradient, row(unit)) < 1e-6);
  });
}

Deno.test("narrower weights fit one binding; what does not fit is refused before anything is taken", async () => {
  const { model, x, expected } = part;
  const device = pretend(adapter, { maxBinding: 2 ** 23 }, "buffer");
  for (const [weights, bytes] of [["f16", 4_718_592], ["i8", 2_359_296]] as const) {
    using net = await Net.create(device, model, { weights });
    assert.deepEqual([net.pieces[0].bytes, net.pieces[0].parts], [bytes, 1]);
    assert.ok(distance(await net.forward(x), expected) < (weights === "f16" ? 1e-3 : 2e-2)); // 2⁻¹¹ and 1/254 a weight
  }
  const small = pretend(adapter, { maxBinding: 2 ** 24, maxStorageBuffers: 8 }, "buffer");
  let planned = 0;
  const failing = Net.create(small, full.model, { onPlan: () => planned++ });
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof GpuError && error.kind === "out-of-memory");
    assert.match(
      error.message,
      /^fc6\.weight: needs 144 MiB, expected at most 128 MiB; a smaller batch, or weights in f16 or i8, may fit$/,
    );
    return true;
  });
  const tight = pretend(adapter, { maxBinding: 2 ** 25, maxStorageBuffers: 6 }, "buffer");
  await assert.rejects(
    Net.create(tight, full.model, { onPlan: () => planned++ }),
    /^GpuError: fc6: its tensors lie in 7 buffers, the adapter allows 6/,
  );
  assert.deepEqual([planned, small.memory, tight.memory], [0, 0, 0]);
});
