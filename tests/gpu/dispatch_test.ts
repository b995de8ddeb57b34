/** A dispatch longer than one dimension of workgroups: it wraps into rows, and every invocation still runs once. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { write } from "../../src/gpu/call.ts";
import { compile, encode } from "../../src/gpu/compile.ts";
import { groupSize } from "../../src/gpu/source.ts";
import { download, place, run, upload } from "../../src/gpu/tensor.ts";
import { elementwiseCall } from "../../src/ops/calls.ts";

Deno.test("one workgroup more than a dimension has", async () => {
  using device = await openDevice();
  const texels = groupSize(device) * device.caps.maxGroups + 1;
  const numbers = Float32Array.from({ length: 4 * texels }, (_, i) => i);
  const [x, y] = ["x", "y"].map((label) => place(device, run(label, texels, device.storage)));
  upload(device, x, new Uint8Array(numbers.buffer));
  const step = await compile(device, elementwiseCall("opposite", { x }, write(y), "-x"));
  const half = Math.ceil((device.caps.maxGroups + 1) / 2);
  assert.deepEqual(step.grid, [half, 2, 1], "rows of the same length, hardly a workgroup without work");
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass, [step]);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  const result = new Float32Array((await download(device, y)).buffer);
  assert.equal(result.findIndex((value, i) => value !== -numbers[i]), -1, "the first wrong value");
});
