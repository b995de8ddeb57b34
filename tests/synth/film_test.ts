/** Films: every frame's gradient through time beside float64, in windows as without; what is climbed, and orders of frames. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { Climb } from "../../src/synth/climb.ts";
import { type SearchOptions, settle } from "../../src/synth/options.ts";
import { normals } from "../../src/synth/random.ts";
import { search } from "../../src/synth/search.ts";
import { prepare } from "../../src/synth/stages.ts";
import { pretend } from "../gpu/pretend.ts";
import { assertClose } from "../reference/close.ts";
import { record, tapeGradients } from "../reference/network.ts";
import { tensor } from "../reference/tensor.ts";
import { generatorNetwork, small } from "./small.ts";
import { smallVideo, videoNetwork } from "./small_video.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");
const { generator, weights: [generatorWeights] } = small();
const frames = 12;
const unit = 3;
const seed = 5;

const options = (more: Partial<SearchOptions> = {}): SearchOptions => ({
  ...{
    generator,
    classifier: smallVideo().model,
    targets: [{ units: [unit], seed }],
    frames,
    iterations: 3,
    redirect: 0,
  },
  ...more,
});

/** The activation of each frame and the gradient to each frame's code, in float64. */
function expected(recurrent?: number) {
  const { weights } = smallVideo(recurrent);
  const code = tensor([frames, 20], [...normals(seed, 20 * frames)]);
  const drawn = record(generatorNetwork, generatorWeights, new Map([["code", code]]));
  const picture = drawn.values.at(-1)!;
  const cont = tensor([frames, 1, 1], Array.from({ length: frames }, (_, n) => n === 0 ? 0 : 1));
  const judged = record(videoNetwork, weights, new Map([["data", picture], ["cont", cont]]));
  const answers = judged.values[judged.names.get("fc8")!];
  const dy = tensor(answers.shape);
  for (let n = 0; n < frames; n++) dy.data[5 * n + unit] = 1;
  const dPicture = tapeGradients(judged, "fc8", dy).inputs.get("data")!;
  const gradient = tapeGradients(drawn, "picture", dPicture).inputs.get("code")!;
  return { activations: Array.from({ length: frames }, (_, n) => answers.data[5 * n + unit]), gradient };
}

for (const [where, own, windows] of [["", device, [12, 5, 1]], [" on a GPU", gpu, [5]]] as const) {
  Deno.test(`film${where}: the gradient to every frame's code is float64's, in windows as without`, async () => {
    const { activations, gradient } = expected();
    for (const window of windows) {
      const stage = prepare(options({ windowSize: window }));
      using climb = await Climb.create(own, stage.joined, settle(own, stage.joined, stage.options));
      climb.submit(1);
      assertClose(`window ${window}`, { shape: [frames, 20], data: await climb.gradient() }, gradient, 1e-4);
      assertClose(
        `trace ${window}`,
        { shape: [frames], data: await climb.trace(1) },
        tensor([frames], activations),
        1e-4,
      );
    }
  });
}

Deno.test("film: a step is measured by all frames together, and windows make the same film", async () => {
  const { gradient: { data }, activations } = expected();
  const start = normals(seed, 20 * frames);
  const film = async (more: Partial<SearchOptions> = {}) => (await search(device, options(more))).items;
  const [one, ...others] = await film({ iterations: 1, bounds: false, lrStart: 2, decay: 1 });
  assert.deepEqual(others, []);
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const next = data.map((value, j) => start[j] + 2 * value / mean(data.map(Math.abs)));
  assertClose("codes", { shape: [20 * frames], data: one.next }, tensor([20 * frames], next), 1e-4);
  assertClose("mean", { shape: [1], data: [one.activation] }, tensor([1], [mean(activations)]), 1e-4);
  const [[whole], [parts]] = [await film(), await film({ windowSize: 5 })];
  assertClose("windows", { shape: [20 * frames], data: parts.code }, tensor([20 * frames], [...whole.code]), 1e-4);
  assert.deepEqual([whole, parts].map(({ film }) => [film!.frames.length, film!.windowSize]), [[12, 12], [12, 5]]);
  assert.ok(whole.activation > one.activation);
});

Deno.test("film: frames that memory does not hold together are drawn in windows, unless somebody says how many", async () => {
  const tight = (bytes: number) => pretend(device, { maxMemory: device.memory + bytes });
  const told: number[] = [];
  const long = options({ frames: 48, iterations: 1, onWindow: (size) => void told.push(size) });
  const { items: [{ film }] } = await search(tight(1.4e6), long);
  assert.deepEqual([told[0], film!.windowSize, film!.frames.length], [24, told.at(-1), 48]);
  const tooLarge = (more: Partial<SearchOptions>) =>
    assert.rejects(search(tight(1e5), { ...long, ...more }), /needs \d+ MiB/);
  told.length = 0;
  await tooLarge({ windowSize: 48 });
  assert.deepEqual(told, []);
  await tooLarge({});
  assert.equal(told.at(-1), 1);
});

Deno.test("film: what cannot be one is refused", async () => {
  const refused = (more: Partial<SearchOptions>, sentence: RegExp) =>
    assert.rejects(search(device, options(more)), sentence);
  await refused({ classifier: small().classifier }, /^UserError: small classifier reads no sequence: frames would be/);
  await refused({ targets: [{ units: [1], seed: 0 }, { units: [2], seed: 0 }] }, /^UserError: a film is of one target/);
  await refused({ prior: "pixels", octaves: 2 }, /^UserError: octaves are of single pictures; a film has none/);
  await refused({ frames: 0 }, /^UserError: a film of 0 frames, expected 1 to 10000/);
  await refused(
    { targets: [{ units: [1], seed: 0, code: new Float32Array(40) }] },
    /has 40 values, .* takes 20, or 12 times/,
  );
  await refused(
    { set: { cont: new Float32Array(5) } },
    /--set cont: 5 values, .* takes \[1, 1\] there, or those of 12 frames/,
  );
});

Deno.test("film: the order of frames matters to a memory, and not where there is none", async () => {
  const orders = async (recurrent: number) => {
    const { model } = smallVideo(recurrent);
    const { items: [{ film, activation }] } = await search(
      device,
      options({ classifier: model, shuffles: 3, windowSize: 5 }),
    );
    const { inOrder, shuffled, reversed } = film!.orders!;
    assert.equal(inOrder.toFixed(5), activation.toFixed(5));
    assert.equal(shuffled.length, 3);
    return [...shuffled, reversed].map((other) => Math.abs(other - inOrder));
  };
  assert.ok(Math.max(...await orders(0)) < 1e-5);
  assert.ok(Math.min(...await orders(8)) > 1e-3);
});
