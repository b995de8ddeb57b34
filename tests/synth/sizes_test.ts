/** Pictures of other sizes than the classifier's, and octaves. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { images } from "../../src/synth/images/table.ts";
import { normals } from "../../src/synth/random.ts";
import { search } from "../../src/synth/search.ts";
import { prepare } from "../../src/synth/stages.ts";
import { assertClose } from "../reference/close.ts";
import * as makers from "../reference/makers.ts";
import { tensor } from "../reference/tensor.ts";
import { small } from "./small.ts";

const device = await openDevice();
const { classifier } = small();

/** The numbers of the classifier's pictures. */
const format = { mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

Deno.test("priors: a picture in another size is the same picture", () => {
  const size = [6, 8] as const;
  const twice = [12, 16] as const;
  const maker = (shape: readonly number[]) => makers.fourier(format, [3, ...shape]);
  const code = Float32Array.from(normals(5, 2 * 6 * 3 * 5), (value) => 0.3 * value);
  // Without what lies at half the sampling rate, which a larger picture has two of.
  const low = images.fourier.resized(code, 3, size, size);
  const large = images.fourier.resized(low, 3, size, twice);
  const [a, b] = [maker(size).picture(low), maker(twice).picture(large)];
  const every = Float64Array.from(
    a.data,
    (_, n) => b.data[Math.floor(n / 48) * 192 + Math.floor(n / 8) % 6 * 32 + n % 8 * 2],
  );
  assertClose("fourier", { shape: a.shape, data: every }, a, 1e-5);
  assert.ok(Math.max(...low.map(Math.abs)) > 0.1);
  const flat = images.pixels.resized(new Float32Array(3 * 48).fill(7), 3, size, [5, 11]);
  assert.ok(flat.length === 165 && flat.every((value) => Math.abs(value - 7) < 1e-5));
  const ramp = images.pixels.resized(Float32Array.of(0, 4, 8, 12), 1, [1, 4], [1, 8]);
  assert.deepEqual([...ramp], [0, 1, 3, 5, 7, 9, 11, 12]);
});

Deno.test("priors: pictures of any size: the classifier grows where the target lets it, else they are resized to it", async () => {
  const options = { classifier, iterations: 3, prior: "fourier", size: 14 } as const;
  for (const [target, grows] of [["conv:2", true], ["out:3", false]] as const) {
    const { options: { classifier: seen } } = prepare({ ...options, targets: [{ target, seed: 0 }] });
    assert.deepEqual(seen.network.inputs[0].shape, grows ? [3, 14, 14] : [3, 7, 7], target);
  }
  const targets = [{ target: "conv:2", seed: 0 }];
  const { items: [{ picture, top, trace }] } = await search(device, { ...options, targets });
  assert.deepEqual([picture.width, picture.height, top.length, trace.length], [14, 14, 5, 3]);
});

Deno.test("priors: octaves enlarge what the one before made, from noise and from a picture", async () => {
  const targets = [{ target: "out:3", seed: 0 }, { target: "out:1", seed: 1, code: new Float32Array(147).fill(30) }];
  const seen: number[] = [];
  const sizes: number[] = [];
  const options = { classifier, prior: "pixels", octaves: 3, octaveScale: 1.5, iterations: 2, noise: 20 } as const;
  const { items, iterations } = await search(device, {
    ...options,
    targets,
    every: 1,
    async onProgress({ iteration, pictures }) {
      seen.push(iteration);
      sizes.push((await pictures())[0].width);
    },
  });
  assert.deepEqual([seen, sizes], [[1, 2, 3, 4, 5, 6], [3, 3, 5, 5, 7, 7]]);
  assert.deepEqual([iterations, items[0].trace.length, items[0].picture.width], [6, 6, 7]);
  // Steps of nothing leave a picture as it was.
  const { items: [, still] } = await search(device, { ...options, targets, lrStart: 0, lrEnd: 0 });
  assertClose("the picture", { shape: [147], data: still.next }, tensor([147], targets[1].code!), 1e-5);
});
