/**
 * The search in jax-js: its ops, its gradient (`grad`), and on WebGPU one iteration compiled by its `jit`. On its wasm backend
 * `jit` takes the embedded pair several times as long as running op by op: it pads inside the convolutions' innermost loops.
 *
 * The unit is picked by a mask: `jit` of the gradient of a slice gives ones everywhere (0.1.25).
 */
import { count } from "../../src/ops/op.ts";
import type { Array as JaxArray, Jax } from "./jax_api.ts";
import { expressIn } from "./jax_layers.ts";
import { importPackage, peers } from "./packages.ts";
import { express, type OpenPeer, rateAt } from "./peer.ts";

const { jax: jaxJs } = peers;

/** The search in jax-js. */
export const openJax: OpenPeer = async (subject, backend) => {
  const jax = await importPackage<Jax>(jaxJs, jaxJs.packages.main);
  if (!(await jax.init(backend)).includes(backend)) throw new Error(`its backend ${backend} does not start here`);
  jax.defaultDevice(backend);
  const compile = backend === "webgpu" ? jax.jit : <F>(f: F) => f;
  const { joined: { code, logits: layer }, settings, batch } = subject;
  const units = count(layer.shape);
  const run = express(subject, jaxJs.name, expressIn(jax), (x: JaxArray) => x.ref);
  const unit = subject.unit;
  const mask = jax.numpy.array(Float32Array.from({ length: units }, (_, at) => +(at === unit)), { shape: [units] });
  const activations = (codes: JaxArray) =>
    run(codes.reshape([batch, ...code.shape])).reshape([batch, units]).mul(mask.ref).sum();
  const gradient = compile(jax.grad(activations));
  const { decay, iterations } = settings;
  const step = compile((codes: JaxArray, rate: JaxArray) => {
    const g = gradient(codes.ref);
    const size = jax.numpy.abs(g.ref).mean(1, { keepdims: true });
    return codes.add(g.div(size).mul(rate)).mul(decay);
  });
  const start = jax.numpy.array(settings.codes, { shape: [batch, count(code.shape)] });
  const rates = Array.from(
    { length: iterations },
    (_, n) => jax.numpy.array(Float32Array.of(rateAt(settings, n)), { shape: [] }),
  );
  return {
    backend: backend === "webgpu" ? "webgpu with jit" : `${backend} without jit`,
    async gradient() {
      return await gradient(start.ref).data();
    },
    async climb(times) {
      let codes = start.ref;
      for (let n = 0; n < times; n++) codes = step(codes, rates[n].ref);
      return await codes.data();
    },
  };
};
