/**
 * What is done twice: a run gives the same bits, a second net compiles nothing, a long visit keeps no more than so many pipelines; and
 * whatever is made has a label.
 */
import assert from "node:assert/strict";
import { write } from "../../src/gpu/call.ts";
import { compile } from "../../src/gpu/compile.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { place, run } from "../../src/gpu/tensor.ts";
import { Net } from "../../src/net/net.ts";
import { elementwiseCall } from "../../src/ops/calls.ts";
import { outputGradient } from "../cases/case.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { runNetwork } from "../reference/network.ts";
import { pretend } from "./pretend.ts";

const real = await openDevice();

for (const [software, name] of [[true, "odd classifier"], [false, "generator"]] as const) {
  const device = pretend(real, { software });
  const { network, weights, inputs } = smallNetworks.find(({ network }) => network.name === name)!;

  Deno.test(`${device.storage}, ${name}: same bits, no second pipeline, labels on everything`, async () => {
    const [[, { shape: [batch] }]] = inputs;
    const options = { batch, gradient: true, weightGradients: true };
    const model = caseModel({ network, weights });
    const x = caseInputs(inputs);
    const y = runNetwork(network, weights, inputs).get(network.layers.at(-1)!.name)!;
    const dy = Float32Array.from(outputGradient(network, y).data);
    const runOf = async (net: Net) => ({ ...await net.backward(x, dy), weights: await net.weightGradients() });

    using watch = spy();
    using net = await Net.create(device, model, options);
    const first = await runOf(net);
    assert.deepEqual(await runOf(net), first);

    const before = watch.made.length;
    using second = await Net.create(device, model, options);
    assert.deepEqual(await runOf(second), first);
    const compiled = /Pipeline|ShaderModule|BindGroupLayout/;
    assert.deepEqual(watch.made.slice(before).filter(({ method }) => compiled.test(method)), []);

    assert.ok(watch.made.some(({ method }) => method === "createComputePipelineAsync"));
    assert.deepEqual(watch.made.filter(({ label }) => !label), []);
  });
}

Deno.test("of pipelines for plans to come, those that were used last are kept", async () => {
  using device = await openDevice();
  let made = 0;
  device.gpu.createShaderModule = () => ({}) as GPUShaderModule;
  device.gpu.createComputePipelineAsync = () => Promise.resolve({ label: `${++made}` } as GPUComputePipeline);
  const y = place(device, run("y", 1, device.storage));
  const use = (n: number) => compile(device, elementwiseCall("number", {}, write(y), `vec4f(${n}.0)`));
  for (let n = 0; n < 600; n++) await Promise.all([use(n), use(0)]);
  assert.equal(made, 600);
  await use(1);
  assert.equal(made, 601);
  assert.equal(device.cache.size, 512);
});

/** One GPU object: the method that made it and its label. */
interface Made {
  method: string;
  label?: string;
}

/** Notes every GPU object made until it is disposed of. */
function spy(): Disposable & { made: Made[] } {
  const made: Made[] = [];
  const undo: (() => void)[] = [];
  for (const { prototype } of [GPUDevice, GPUTexture, GPUCommandEncoder] as { prototype: object }[]) {
    for (const [method, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (!/^(create|begin)/.test(method)) continue;
      const value = function (this: unknown, descriptor?: { label?: string }) {
        made.push({ method, label: descriptor?.label });
        return property.value.call(this, descriptor);
      };
      Object.defineProperty(prototype, method, { ...property, value });
      undo.push(() => Object.defineProperty(prototype, method, property));
    }
  }
  return { made, [Symbol.dispose]: () => undo.forEach((restore) => restore()) };
}
