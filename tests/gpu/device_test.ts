/** What fails on a device is one typed error that names its subject; what is made is labelled, shared and repeatable. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { GpuError } from "../../src/gpu/error.ts";
import { compile, write } from "../../src/gpu/kernel.ts";
import { download, free, place, run, TEXEL } from "../../src/gpu/tensor.ts";
import { Net } from "../../src/net/net.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { pretend } from "./pretend.ts";

const device = await openDevice();
const [{ network, weights, inputs }] = smallNetworks;
const model = caseModel({ network, weights }), options = { batch: 3, gradient: true };

/** Asserts that a GpuError of this kind comes, with this subject and words. */
function fails(work: () => Promise<unknown>, kind: string, subject: string | RegExp, words: RegExp): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(error instanceof GpuError, `${error}`);
    assert.equal(error.kind, kind);
    if (typeof subject === "string") assert.equal(error.subject, subject);
    else assert.match(error.subject, subject);
    assert.match(error.message, words);
    return true;
  });
}

Deno.test("a broken kernel is a validation error that names it, and the device lives on", async () => {
  const y = place(device, run("y", 4, "buffer")), bindings = { y: write(y) };
  const call = (label: string, code: string) => ({ label, bindings, code, invocations: 4, flops: 0 });
  const broken = () => compile(device, call("conv9", "fn kernel(i: u32) { store_z(i, vec4f()); }"));
  await fails(broken, "validation", "conv9", /store_z/);
  await compile(device, call("relu9", "fn kernel(i: u32) { store_y(i, vec4f()); }"));
  await device.settle();
  free(device, y.memory!);
});

Deno.test("a kernel with more bindings than the adapter has is a validation error that names it", async () => {
  const small = pretend(device, { maxBinding: 64 * TEXEL }, "buffer"), y = place(small, run("y", 64 * 30, "buffer"));
  const bindings = { y: write(y), z: write(y) };
  const code = "fn kernel(i: u32) { store_y(i, vec4f()); store_z(i, vec4f()); }";
  const wide = () => compile(small, { label: "concat9", bindings, code, invocations: 4, flops: 0 });
  await fails(wide, "validation", "concat9", /limit/i);
  free(small, y.memory!);
});

Deno.test("a tensor that no kernel could bind is an out-of-memory error that names it", async () => {
  const big = () => Promise.resolve(place(device, run("fc9.weight", 2 ** 40 / TEXEL, "buffer")));
  await fails(async () => await big(), "out-of-memory", "fc9.weight", /needs 1048576 MiB, expected at most \d+ MiB$/);
  assert.equal(device.memory, 0);
});

Deno.test("a plan that does not fit gives back what it took", async () => {
  const small = pretend(device, { maxBinding: 64 * TEXEL, maxStorageBuffers: 4 }, "buffer");
  await fails(() => Net.create(small, model, options), "out-of-memory", /./, /needs 1 MiB, expected at most 1 MiB$/);
  assert.equal(small.memory, 0);
});

Deno.test("what the driver refuses is named after what was made", async () => {
  const refused = async () => {
    device.make("slot 9", () => device.gpu.createBuffer({ label: "slot 9", size: 2 ** 50, usage: 0x80 }));
    await device.settle();
  };
  await fails(refused, "validation", "slot 9", /./);
  await device.settle();
});

Deno.test("an error outside of everything made is told once", async () => {
  device.gpu.queue.submit([device.gpu.createCommandEncoder({ label: "spent" }).finish()]);
  await device.finish();
  const buffer = device.gpu.createBuffer({ label: "tiny", size: 16, usage: GPUBufferUsage.COPY_DST });
  device.gpu.queue.writeBuffer(buffer, 0, new Uint8Array(32));
  await fails(() => device.finish(), "validation", device.name, /./);
  await device.finish();
});

Deno.test("a closed device is lost for everything that follows", async () => {
  const closed = await openDevice(), y = place(closed, run("y", 4, "buffer"));
  const net = await Net.create(closed, model, options);
  closed[Symbol.dispose]();
  await fails(() => closed.finish(), "lost", closed.name, /closed/);
  await fails(() => download(closed, y), "lost", closed.name, /closed/);
  await fails(() => net.forward(caseInputs(inputs)), "lost", closed.name, /closed/);
  await fails(() => Net.create(closed, model), "lost", closed.name, /closed/);
});

Deno.test("the same net gives the same bits, run again and made again, and makes no second pipeline", async () => {
  const own = await openDevice(), dy = new Float32Array(3 * 11).fill(0.5);
  const made: string[] = [], create = own.gpu.createComputePipelineAsync.bind(own.gpu);
  own.gpu.createComputePipelineAsync = (descriptor) => {
    made.push(descriptor.label ?? "");
    return create(descriptor);
  };
  using first = await Net.create(own, model, options);
  const result = await first.backward(caseInputs(inputs), dy);
  assert.ok(made.length > 0 && made.length <= first.dispatches);
  assert.deepEqual(await first.backward(caseInputs(inputs), dy), result);
  made.length = 0;
  using second = await Net.create(own, model, options);
  assert.deepEqual(await second.backward(caseInputs(inputs), dy), result);
  assert.deepEqual(made, []);
  own[Symbol.dispose]();
});

Deno.test("every GPU object has a label", async () => {
  const own = await openDevice(), unlabelled: string[] = [];
  let made = 0;
  const spy = (target: object) => {
    for (let type = target; type !== Object.prototype; type = Object.getPrototypeOf(type)) {
      for (const name of Object.getOwnPropertyNames(type).filter((name) => name.startsWith("create"))) {
        const create = Reflect.get(target, name).bind(target);
        Object.defineProperty(target, name, {
          value: (descriptor?: { label?: string }) => {
            made++;
            if (!descriptor?.label) unlabelled.push(name);
            const object = create(descriptor);
            if (name === "createTexture") spy(object);
            return object;
          },
        });
      }
    }
  };
  spy(own.gpu);
  {
    using net = await Net.create(own, model, options);
    await net.backward(caseInputs(inputs), new Float32Array(3 * 11));
  }
  assert.ok(made > 50);
  assert.deepEqual(unlabelled, []);
  own[Symbol.dispose]();
});
