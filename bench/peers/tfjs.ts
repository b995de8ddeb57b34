/** The search in TensorFlow.js: its ops, its gradient (`tf.grad`), the step as a user of it would write it. */
import { count } from "../../src/ops/op.ts";
import { type Backend, importPackage, peers } from "./packages.ts";
import { express, type OpenPeer, rateAt } from "./peer.ts";
import type { Tensor, Tf } from "./tfjs_api.ts";
import { codeTensor, expressIn, rowsOf } from "./tfjs_layers.ts";

const { tfjs } = peers;

/** Opens a backend. */
async function open(backend: Backend): Promise<Tf> {
  const tf = await importPackage<{ default: Tf }>(tfjs, tfjs.packages.main).then((module) => module.default);
  if (backend !== "cpu") await importPackage(tfjs, tfjs.packages[backend]);
  if (!await tf.setBackend(backend)) throw new Error(`its backend ${backend} does not start here`);
  return tf;
}

/** The search in TensorFlow.js. */
export const openTfjs: OpenPeer = async (subject, backend) => {
  const tf = await open(backend);
  const { joined: { code, logits: layer }, settings, batch } = subject;
  const run = express(subject, tfjs.name, expressIn(tf));
  const unit = subject.unit;
  const activations = (rows: Tensor) =>
    tf.sum(tf.slice(rowsOf(tf, run(codeTensor(tf, rows, code.shape)), layer.shape), [0, unit], [-1, 1]));
  const gradient = tf.grad(activations);
  const start = tf.keep(tf.tensor(settings.codes, [batch, count(code.shape)]));
  const { decay } = settings;
  const step = (codes: Tensor, rate: number) => {
    const g = gradient(codes);
    const size = tf.mean(tf.abs(g), 1, true);
    return tf.mul(tf.add(codes, tf.mul(tf.div(g, size), tf.scalar(rate))), tf.scalar(decay));
  };
  return {
    backend: await nameOf(tf, backend),
    gradient: () => dataOf(tf.tidy(() => gradient(start))),
    climb(times) {
      let codes = start;
      for (let n = 0; n < times; n++) {
        const next = tf.tidy(() => step(codes, rateAt(settings, n)));
        if (codes !== start) codes.dispose();
        codes = next;
      }
      return dataOf(codes);
    },
  };
};

async function dataOf(x: Tensor): Promise<Float32Array> {
  const values = await x.data();
  x.dispose();
  return values;
}

/** A backend in words; of its wasm, which of the three programs it has chosen. */
async function nameOf(tf: Tf, backend: string): Promise<string> {
  if (backend !== "wasm") return backend;
  const [simd, threads] = await Promise.all(
    ["SIMD", "MULTITHREAD"].map((one) => tf.env().getAsync(`WASM_HAS_${one}_SUPPORT`)),
  );
  return `wasm ${simd ? "with" : "without"} SIMD, ${threads ? "several threads" : "one thread"}`;
}
