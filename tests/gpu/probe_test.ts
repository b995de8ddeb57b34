/** The yardstick: sums that stay ordinary numbers, a kernel that computes them, and shares that cannot be. */
import assert from "node:assert/strict";
import { type Device, openDevice } from "../../src/gpu/device.ts";
import { type Call, read, write } from "../../src/gpu/call.ts";
import { compile, encode } from "../../src/gpu/compile.ts";
import { groupSize } from "../../src/gpu/source.ts";
import { CHAINS, MOST_SHARE, share, shareText, TRIPS } from "../../src/gpu/probe.ts";
import { download, place, run, upload } from "../../src/gpu/tensor.ts";
import { multiplyAdd, recurrence, startOf, sumOf } from "../../shaders/probe.ts";

const { multiplier, summand } = recurrence;
const lanes = multiplier.values * summand.values;
const factor = ({ least, step, values }: typeof multiplier | typeof summand, i: number) =>
  Math.fround(least + step * (i % values));

/** All values of one sum of invocation i, in float32. */
function* values(i: number, chain: number, component: number, steps: number): Generator<number> {
  const a = factor(multiplier, i);
  const b = factor(summand, i);
  let s = Math.fround(startOf(chain, component));
  yield s;
  for (let step = 0; step < steps; step++) yield s = Math.fround(s * a + b);
}

Deno.test("the probe's sums stay near 1: nowhere a denormal, an infinity or 0", () => {
  const most = Math.max(...CHAINS);
  const starts = new Set<number>();
  for (let chain = 0; chain < most; chain++) {
    for (let component = 0; component < 4; component++) {
      for (let i = 0; i < lanes; i++) {
        for (const value of values(i, chain, component, 1000)) {
          assert.ok(value >= 0.1 && value <= 10, `chain ${chain}, invocation ${i}: ${value}`);
        }
      }
    }
  }
  for (let component = 0; component < 4; component++) starts.add(startOf(0, component));
  assert.equal(starts.size, 4, "equal sums of a chain may be computed once");
});

/** The values that a call stores in y. */
async function stored(device: Device, call: Call): Promise<Float32Array> {
  const encoder = device.gpu.createCommandEncoder({ label: "probe" });
  const pass = encoder.beginComputePass({ label: "probe" });
  encode(pass, [await compile(device, call)]);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  return new Float32Array((await download(device, call.bindings.y.tensor)).buffer);
}

Deno.test("the probe's kernels compute these sums", async () => {
  using device = await openDevice();
  const y = place(device, run("y", lanes, "buffer"));
  for (const chains of CHAINS) {
    const { code, multiplyAdds, flopsPerInvocation } = multiplyAdd(chains, TRIPS);
    assert.equal(flopsPerInvocation, 2 * 4 * chains * multiplyAdds);
    const sums = await stored(device, { label: "sums", bindings: { y: write(y) }, code, invocations: lanes, flops: 0 });
    for (let i = 0; i < lanes; i++) {
      for (let component = 0; component < 4; component++) {
        let sum = 0;
        for (let chain = 0; chain < chains; chain++) sum += [...values(i, chain, component, multiplyAdds)].at(-1)!;
        const off = Math.abs(sums[4 * i + component] / sum - 1);
        assert.ok(off < 1e-5, `${chains} chains, invocation ${i}: ${sums[4 * i + component]}, expected ${sum}`);
      }
    }
  }
});

Deno.test("the probe's reading kernel reads every texel once", async () => {
  using device = await openDevice();
  const reads = 16;
  const texels = 1 << 10;
  const x = place(device, run("x", texels, device.storage));
  const y = place(device, run("y", texels / reads, "buffer"));
  const numbers = Float32Array.from({ length: 4 * texels }, (_, n) => (n >> 2) + (n & 3));
  upload(device, x, new Uint8Array(numbers.buffer));
  const code = sumOf(reads, groupSize(device));
  const invocations = texels / reads;
  const sums = await stored(device, {
    label: "reads",
    bindings: { x: read(x), y: write(y) },
    code,
    invocations,
    flops: 0,
  });
  for (let component = 0; component < 4; component++) {
    let sum = 0;
    for (let i = 0; i < invocations; i++) sum += sums[4 * i + component];
    assert.equal(sum, texels * (texels - 1) / 2 + texels * component);
  }
});

Deno.test("a share of the peak; what is beyond the peak says that the probe failed", () => {
  assert.deepEqual(share(47, 160), { share: 47 / 160 });
  assert.deepEqual(share(0, 160), { share: 0 });
  assert.deepEqual(share(MOST_SHARE, 1), { share: MOST_SHARE });
  const failed = { share: null, probeFailed: true };
  for (const [value, peak] of [[34, 0.86], [1.06, 1], [1, 0], [0, 0], [1, NaN], [NaN, 1]]) {
    assert.deepEqual(share(value, peak), failed, `${value} of ${peak}`);
  }
  assert.equal(shareText(47.13, 160), "29.5 %");
  assert.equal(
    shareText(34.04, 0.8612),
    "the probe failed: 0.861 GFLOP/s measured as the peak, but this kernel reached 34",
  );
  assert.match(shareText(5, 2, "GB/s"), /^the probe failed: 2 GB\/s measured/);
});
