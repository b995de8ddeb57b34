/** Every failure of the device is one typed error that names what failed, and leaves a device that still works. */
import assert from "node:assert/strict";
import { Device, openDevice } from "../../src/gpu/device.ts";
import { GpuError, type GpuErrorKind } from "../../src/gpu/error.ts";
import { mapped, unlessLost } from "../../src/gpu/loss.ts";
import { type Call, write } from "../../src/gpu/call.ts";
import { compile } from "../../src/gpu/compile.ts";
import { probe } from "../../src/gpu/probe.ts";
import { download, place, run, TEXEL } from "../../src/gpu/tensor.ts";
import { Net } from "../../src/net/net.ts";
import { type Case, caseNetwork } from "../cases/case.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { checkCase } from "../ops/check_case.ts";
import { pretend, spyLabels } from "./pretend.ts";

const small: Case = { name: "small", type: "tanh", inputs: [[1, 3, 5, 7]], params: {}, tolerance: 1e-6 };
const { network, weights, inputs } = caseNetwork(small);

/** Asserts that `failing` rejects with a GpuError of this kind and subject whose message fits. */
function fails(failing: () => Promise<unknown>, kind: GpuErrorKind, subject: string, message: RegExp): Promise<void> {
  return assert.rejects(failing, (error) => {
    assert.ok(error instanceof GpuError, String(error));
    assert.deepEqual([error.kind, error.subject], [kind, subject], error.message);
    assert.match(error.message, message);
    return true;
  });
}

for (const storage of ["buffer", "texture"] as const) {
  Deno.test(`${storage}: a kernel that does not compile, the second time too`, async () => {
    using device = await openDevice({ storage });
    const y = place(device, run("y", 5, storage));
    const code = "fn kernel(i: u32) { store_y(i, nobody); }";
    const broken: Call = { label: "broken kernel", bindings: { y: write(y) }, code, invocations: 5, flops: 0 };
    for (let time = 0; time < 2; time++) {
      await fails(() => compile(device, broken), "validation", "broken kernel", /^broken kernel: .*nobody/);
    }
    await checkCase(device, small);
  });

  Deno.test(`${storage}: a tensor that no kernel could bind`, async () => {
    using device = await openDevice({ storage });
    const huge = { ...network, inputs: [{ name: "x0", shape: [1024, 256, 256] }] }; // 256 MiB an item
    const failing = () => Net.create(device, caseModel({ network: huge, weights }), { batch: 65536 });
    await fails(failing, "out-of-memory", "layer", /needs 16777216 MiB, expected at most \d+ MiB/);
    assert.equal(device.memory, 0);
    await checkCase(device, small);
  });

  Deno.test(`${storage}: a buffer that the adapter does not grant`, async () => {
    using device = await openDevice({ storage });
    const size = 2 ** 44;
    const usage = GPUBufferUsage.STORAGE;
    device.make("enormous", () => device.gpu.createBuffer({ label: "enormous", size, usage }));
    const waiting = [device.settle(), device.settle()]; // whoever waits meanwhile is told too
    for (const one of waiting) await assert.rejects(one, { name: "GpuError", subject: "enormous" });
    await checkCase(device, small);
  });
}

Deno.test("a device that was closed", async () => {
  const device = await openDevice();
  const model = caseModel({ network, weights });
  const net = await Net.create(device, model);
  device[Symbol.dispose]();
  await fails(() => net.forward(caseInputs(inputs)), "lost", device.name, /closed/);
  await fails(() => Net.create(device, model), "lost", device.name, /closed/);
});

Deno.test("a device that the driver took away", async () => {
  const { caps } = await openDevice();
  const lost = Promise.resolve({ reason: "unknown", message: "driver reset" });
  const device = new Device({ lost, addEventListener() {} } as unknown as GPUDevice, "card", caps);
  await fails(() => device.settle(), "lost", "card", /driver reset/);
});

Deno.test("waiting ends with the loss of the device, and what has come before leaves nothing there", async () => {
  let lose = () => {};
  let asked = 0;
  const lost = new Promise<void>((resolve) => lose = resolve);
  lost.then = (...handlers) => (asked++, Promise.prototype.then.apply(lost, handlers)) as Promise<never>;
  const gpu = { lost } as unknown as GPUDevice;
  const never = new Promise<number>(() => {});
  for (let n = 0; n < 9; n++) assert.equal(await unlessLost(gpu, Promise.resolve(n)), n);
  await assert.rejects(unlessLost(gpu, Promise.reject(new Error("another"))), /another/);
  const waits = [unlessLost(gpu, never), unlessLost(gpu, never)];
  assert.equal(asked, 1);
  lose();
  assert.deepEqual(await Promise.all([...waits, unlessLost(gpu, never)]), [undefined, undefined, undefined]);
});

Deno.test("a lost device is opened anew as soon as there is an adapter; where there is none any more, the loss remains", async () => {
  const { caps } = await openDevice();
  const timer = globalThis.setTimeout;
  const lost = () => Promise.resolve({ reason: "unknown", message: "driver reset" } as unknown as GPUDeviceLostInfo);
  const gpu = (lost: Promise<GPUDeviceLostInfo>) => ({ lost, addEventListener() {} }) as unknown as GPUDevice;
  let none = 3;
  const reopen = () =>
    none-- > 0
      ? Promise.reject(new GpuError("no-adapter", "WebGPU", "none"))
      : Promise.resolve({ gpu: gpu(new Promise(() => {})), name: "next card", caps });
  const device = new Device(gpu(lost()), "card", caps, undefined, reopen);
  const old = device.gpu;
  const gone = new Device(gpu(lost()), "card", caps, undefined, () => Promise.reject(new Error("no adapter")));
  await fails(() => device.settle(), "lost", "card", /driver reset/);
  assert.equal(await device.isLost(), true);
  globalThis.setTimeout = ((act: () => void) => timer(act)) as unknown as typeof setTimeout; // pauses take no time
  try {
    await Promise.all([device.renew(old), device.renew(old)]);
    await fails(() => gone.renew(gone.gpu), "lost", "card", /driver reset/);
  } finally {
    globalThis.setTimeout = timer;
  }
  assert.equal(device.name, "next card");
  await device.settle();
  await device.renew(old); // somebody else has
  assert.equal(await device.isLost(), false);
});

Deno.test("an adapter that is not there", async () => {
  await fails(() => openDevice({ adapter: "gpu9" }), "no-adapter", "gpu9", /expected high-performance, low-power/);
});

Deno.test("a kernel that binds more parts than the adapter allows", async () => {
  const device = pretend(await openDevice(), { maxBinding: 64 * TEXEL }, "buffer");
  const y = place(device, run("y", 64 * device.caps.maxStorageBuffers, "buffer"));
  const bindings = { y: write(y), z: write(y) };
  const code = "fn kernel(i: u32) { store_y(i, vec4f()); store_z(i, vec4f()); }";
  const wide: Call = { label: "wide kernel", bindings, code, invocations: 5, flops: 0 };
  await fails(
    () => compile(device, wide),
    "out-of-memory",
    "wide kernel",
    /64 buffers|lie in \d+ buffers, the adapter allows \d+/,
  );
});

Deno.test("a plan that does not fit is refused before it takes anything", async () => {
  const device = pretend(await openDevice(), { maxBinding: 64 * TEXEL, maxStorageBuffers: 6 }, "buffer");
  const [classifier] = smallNetworks;
  const labels = spyLabels(device);
  const failing = () => Net.create(device, caseModel(classifier));
  await fails(failing, "out-of-memory", "fc4.weight", /needs 1 MiB, expected at most 1 MiB/);
  assert.deepEqual(labels, []);
  assert.equal(device.memory, 0);
});

Deno.test("memory that the machine has not is refused before any of it is taken, and told as a plan all the same", async () => {
  const [classifier] = smallNetworks;
  const real = await openDevice();
  const model = caseModel(classifier);
  let bytes = 0;
  const onPlan = (pieces: readonly { bytes: number }[]) => bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  using net = await Net.create(real, model, { onPlan });
  assert.equal(bytes, net.memory.total);
  const device = pretend(real, { maxMemory: bytes });
  const labels = spyLabels(device);
  bytes = 0; // its inputs and outputs are in memory several times
  await fails(
    () => Net.create(device, model, { onPlan }),
    "out-of-memory",
    "the plan",
    /^the plan: needs \d+ MiB, expected at most/,
  );
  assert.deepEqual([labels, device.memory, bytes], [[], 0, net.memory.total]);
  using _ = await Net.create(pretend(real, { maxMemory: 8 * bytes }), model);
  await fails(
    async () => await Promise.resolve(place(device, run("trace", bytes, device.storage))),
    "out-of-memory",
    "trace",
    /^trace: needs/,
  );
});

Deno.test("names that files give do not reach the terminal as they are, nor fill it", () => {
  const { message } = new GpuError("validation", `a\u001b[2J\n${"b".repeat(1e6)}`, "it failed");
  assert.match(message, /^a \[2J b+ …$/);
  assert.ok(message.length < 800);
});

Deno.test("what the browser rejects without a type: a buffer that cannot be read, a group beside a broken kernel", async () => {
  using device = await openDevice();
  const buffer = { label: "timestamps", mapAsync: () => Promise.reject(new Error("aborted")) } as unknown as GPUBuffer;
  await fails(() => mapped(device, buffer), "lost", "timestamps", /could not be read back/);
  const y = place(device, run("y", 5, "buffer"));
  const code = "fn kernel(i: u32) { store_y(i, nobody); }";
  device.gpu.createBindGroup = () => {
    throw new TypeError("no group");
  };
  await fails(
    () => compile(device, { label: "broken kernel", bindings: { y: write(y) }, code, invocations: 5, flops: 0 }),
    "validation",
    "broken kernel",
    /nobody/,
  );
});

Deno.test("an error outside of everything made is told once", async () => {
  using device = await openDevice();
  const buffer = device.gpu.createBuffer({ label: "tiny", size: 16, usage: GPUBufferUsage.COPY_DST });
  device.gpu.queue.writeBuffer(buffer, 0, new Uint8Array(32));
  await fails(() => device.finish(), "validation", device.name, /./);
  await device.finish();
});

/** The buffers of a device that nobody has destroyed, by their labels; what is called `failing` is not made. */
function leftOn(device: Device, failing?: string): Set<string> {
  const left = new Set<string>();
  const make = device.make.bind(device);
  device.make = (label, create) => {
    if (label === failing) throw new GpuError("validation", label, "not made");
    const made = make(label, create);
    if (made instanceof GPUBuffer) {
      left.add(label);
      const destroy = made.destroy.bind(made);
      made.destroy = () => {
        left.delete(label);
        destroy();
      };
    }
    return made;
  };
  return left;
}

Deno.test("what fails half-way leaves no memory behind", async () => {
  using device = await openDevice();
  const small = pretend(device, { maxBinding: 64 * TEXEL });
  const parts = leftOn(small, "wide (part 2)");
  assert.throws(() => place(small, run("wide", 65, "buffer")), { name: "GpuError" });
  assert.deepEqual([[...parts], small.memory], [[], 0]);
  const kernels = { "peak multiply-add": "1 chains", "peak reads and writes": "1 of 262144 texels" };
  for (const [label, kernel] of Object.entries(kernels)) {
    const measured = pretend(device, {});
    leftOn(measured, label);
    await assert.rejects(() => probe(measured, [kernel]), { name: "GpuError", subject: label });
    assert.equal(measured.memory, 0, label);
  }
  const read = pretend(device, {}, "buffer");
  const left = leftOn(read);
  const y = place(read, run("y", 5, "buffer"));
  read.settle = () => Promise.reject(new GpuError("lost", "card", "driver reset"));
  await fails(() => download(read, y), "lost", "card", /driver reset/);
  assert.deepEqual([...left], ["y"]);
});
