/** What is made for peers without them: deconvolutions as convolutions, weights in another order, windows, errors. */
import assert from "node:assert/strict";
import { permuted, poolWindows, transposedWeights } from "../../bench/peers/windows.ts";
import { subpixel } from "../../bench/peers/subpixel.ts";
import { express } from "../../bench/peers/peer.ts";
import { errorOf, stepped } from "../../bench/peers/reference.ts";
import { openSubject } from "../../bench/synth/subject.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { Fields } from "../../src/ops/fields.ts";
import { deconv2d as ours } from "../../src/ops/conv/deconv2d.ts";
import { maxpool as ourPool } from "../../src/ops/pool.ts";
import { conv2d } from "../reference/conv2d.ts";
import { deconv2d, type Deconv2dParameters } from "../reference/deconv2d.ts";
import { maxpool } from "../reference/pool.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { type Tensor, tensor } from "../reference/tensor.ts";

const bias = false;

/** Deconvolutions: of the paper's generator, and with what is awkward in each axis. */
const deconvolutions: (Deconv2dParameters & { map: [number, number] })[] = [
  { map: [4, 5], channels: 3, kernel: 4, stride: 2, padding: 1, bias },
  { map: [3, 4], channels: 2, kernel: [3, 5], stride: [2, 3], padding: [1, 0, 0, 2], outputPadding: [1, 1], bias },
  { map: [4, 3], channels: 2, kernel: 2, stride: 3, padding: 0, bias },
  { map: [5, 4], channels: 4, kernel: 3, stride: 1, padding: 1, bias },
];

const host = ({ shape, data }: Tensor) => ({ shape, stored: "F32", values: Float32Array.from(data) }) as const;

const close = (a: Tensor, b: Tensor) => {
  assert.deepEqual(a.shape, b.shape);
  assert.ok(errorOf(a.data, b.data) < 1e-12, `${errorOf(a.data, b.data)}`);
};

/** Maps of every place in a stride, laid out as one map. */
function interleaved(y: Tensor, [sy, sx]: readonly number[], [, c, h, w]: number[]): Tensor {
  const [, , rows, columns] = y.shape;
  const result = tensor([1, c, h, w]);
  for (let at = 0; at < result.data.length; at++) {
    const channel = Math.floor(at / (h * w));
    const row = Math.floor(at / w) % h;
    const column = at % w;
    const map = ((row % sy) * sx + column % sx) * c + channel;
    result.data[at] = y.data[(map * rows + Math.floor(row / sy)) * columns + Math.floor(column / sx)];
  }
  return result;
}

Deno.test("a deconvolution is the convolution of its sub-pixels", () => {
  for (const { map, ...p } of deconvolutions) {
    const x = randomTensor([1, 3, ...map], normal("x"));
    const weight = randomTensor(deconv2d.weightShapes!([x.shape], p).weight, normal("w"));
    const y = deconv2d.forward([x], p, { weight });
    const parsed = ours.parse(new Fields({ ...p }));
    const plain = subpixel(host(weight), parsed, map, [y.shape[2], y.shape[3]])!;
    const [[top, bottom], [left, right]] = plain.padding;
    const [channels, , ...kernel] = plain.weight.shape;
    const q = {
      channels,
      kernel: [kernel[0], kernel[1]] as [number, number],
      padding: [top, left, bottom, right],
      bias,
    };
    const maps = conv2d.forward([x], q as Parameters<typeof conv2d.forward>[1], {
      weight: tensor(plain.weight.shape, plain.weight.values),
    });
    assert.deepEqual(maps.shape.slice(2), plain.size);
    close(interleaved(maps, parsed.stride, y.shape), y);
  }
});

Deno.test("a deconvolution in groups is the convolution of turned weights over zeros between the pixels", () => {
  const x = randomTensor([1, 4, 3, 3], normal("x"));
  const p = { channels: 6, kernel: 3, stride: 2, groups: 2, bias };
  const weight = randomTensor([4, 3, 3, 3], normal("w"));
  const turned = transposedWeights(host(weight), 2);
  const spread = tensor([1, 4, 5, 5]);
  x.data.forEach((value, at) =>
    spread.data[Math.floor(at / 9) * 25 + Math.floor(at % 9 / 3) * 10 + at % 3 * 2] = value
  );
  const q = { channels: 6, kernel: 3, padding: 2, groups: 2, bias };
  close(
    conv2d.forward([spread], q, { weight: tensor(turned.shape, turned.values) }),
    deconv2d.forward([x], p, { weight }),
  );
});

Deno.test("windows with all that they reach into give as many outputs by floor as ours", () => {
  const pools = [
    { kernel: 3, stride: 2 },
    { kernel: 3, stride: 2, padding: 1, rounding: "floor" as const },
    { kernel: [3, 2] as [number, number], stride: [2, 3] as [number, number], padding: [1, 0] as [number, number] },
    { kernel: 2, stride: 3, padding: 1 }, // a last window that would start in the padding is dropped
    { global: true },
  ];
  for (const pool of pools) {
    for (const [h, w] of [[7, 8], [5, 6], [9, 4]]) {
      const y = maxpool.forward([tensor([1, 1, h, w])], pool, {});
      const parsed = ourPool.parse(new Fields({ ...pool }));
      const { kernel, stride, padding } = poolWindows(parsed, [1, h, w], y.shape.slice(1));
      const sizes = [h, w].map((n, a) => Math.floor((n + padding[a] + padding[a + 2] - kernel[a]) / stride[a]) + 1);
      assert.deepEqual(sizes, y.shape.slice(2), JSON.stringify({ pool, h, w, padding }));
    }
  }
});

Deno.test("values in another order of dimensions", () => {
  const { values, shape } = permuted(Float32Array.from([0, 1, 2, 3, 4, 5]), [1, 2, 3], [2, 0, 1]);
  assert.deepEqual([[...values], shape], [[0, 3, 1, 4, 2, 5], [3, 1, 2]]);
});

Deno.test("an error is relative, and that of what is missing or no number is none", () => {
  assert.equal(errorOf([3, 4.5], [3, 4]), 0.1);
  assert.ok(Number.isNaN(errorOf([3], [3, 4])) && Number.isNaN(errorOf([3, NaN], [3, 4])));
});

Deno.test("a layer that a peer cannot express is named, with the reason", async () => {
  const subject = await openSubject({}, 1);
  const reason = (expressOf: (type: string) => (() => number) | undefined) => () =>
    express<number>(subject, "Peer", expressOf);
  assert.throws(
    reason((type) => type === "deconv2d" ? undefined : () => 0),
    new UserError('"deconv5": nothing is known of deconv2d in Peer'),
  );
  assert.throws(
    reason((type) => {
      if (type === "maxpool") throw new UserError("it has no such windows");
      return () => 0;
    }),
    new UserError('"pool1": it has no such windows'),
  );
});

Deno.test("the first step: each picture's code along its own gradient, divided by its mean magnitude", async () => {
  const { settings, ...subject } = await openSubject({}, 2);
  const small = { ...subject, settings: { ...settings, codes: Float32Array.from([1, 2, 3, 4]) } };
  const { lrStart, decay } = settings;
  assert.deepEqual(
    [...stepped([1, -3, 0, 8], small)],
    [1 + lrStart / 2, 2 - 3 * lrStart / 2, 3, 4 + 2 * lrStart].map((value) => value * decay),
  );
});
