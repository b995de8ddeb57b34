/** A search whose device is lost, once or more often and at whatever moment, ends as if nothing had been. */
import assert from "node:assert/strict";
import {
  type Device,
  GpuError,
  type Loss,
  openDevice,
  type Progress,
  search,
  type SearchOptions,
} from "../../src/mod.ts";
import { spyLabels } from "../gpu/pretend.ts";
import { uniform } from "../reference/random.ts";
import { small } from "./small.ts";
import { smallVideo } from "./small_video.ts";

const { generator, classifier } = small();
const options: SearchOptions = {
  generator,
  classifier,
  targets: [{ target: "relu:1@1,1", seed: 4 }, { target: "out:1", seed: 4 }], // the first goes through ReLUs that are off
  iterations: 30,
  rule: "adam",
  saveMs: 0,
};

/** What a search leaves whose device is lost after each of these iterations is reported, and its losses. */
async function losing(device: Device, after: readonly number[], more: Partial<SearchOptions> = {}) {
  const left = [...after];
  const told: number[] = [];
  const heard: Loss[] = [];
  const { seconds: _, losses, ...result } = await search(device, {
    ...options,
    every: 3,
    ...more,
    async onProgress(progress: Progress) {
      told.push(progress.iteration);
      if (progress.iteration >= left[0]) {
        left.shift();
        device.gpu.destroy();
      }
      await more.onProgress?.(progress);
    },
    onLost: (loss) => void heard.push(loss),
  });
  assert.deepEqual(heard, losses);
  assert.ok(told.every((iteration, n) => n === 0 || iteration > told[n - 1]), `${told}`);
  return { losses, result };
}

/** What a search leaves whose device is never lost, and how often it makes something on the device. */
const undisturbedSearch = async () => {
  using device = await openDevice();
  const labels = spyLabels(device);
  const { result, losses } = await losing(device, []);
  return { result, losses, made: labels.length };
};
const { result: undisturbed, losses: none, made: all } = await undisturbedSearch();

Deno.test("a search that loses its device up to three times is, bit for bit, the one that never did", async () => {
  using device = await openDevice();
  assert.deepEqual([none, undisturbed.items.map(({ redirected }) => redirected)], [[], [16, 0]]);
  for (const after of [[1, 1, 20], [10, 15]]) {
    const { result, losses } = await losing(device, after);
    assert.deepEqual(result, undisturbed);
    assert.equal(losses.length, after.length);
    losses.forEach(({ iteration, adapter }, n) => {
      assert.ok(iteration <= after[n] + 3 && adapter === device.name, `${iteration} for ${after[n]}`);
    });
    assert.equal(device.memory, 0);
  }
});

Deno.test("a search that sees its pictures shifted and turned goes on with the views of where it is", async () => {
  using device = await openDevice();
  const more = { iterations: 12, redirect: 0, jitter: 1, rotation: 10 };
  const { result: undisturbed } = await losing(device, [], more);
  const { result, losses } = await losing(device, [7], more);
  assert.deepEqual(result, undisturbed);
  assert.ok(losses[0].iteration > 0);
  const grown = { ...more, targets: [{ units: [1], seed: 4 }], prior: "pixels", octaves: 2 } as const;
  const { losses: [loss] } = await losing(device, [18], grown);
  assert.ok(loss.iteration > 12 && loss.iteration <= 21, `${loss.iteration} of both octaves`);
});

Deno.test("a film in windows that loses its device is the one that never did", async () => {
  using device = await openDevice();
  const film = {
    classifier: smallVideo().model,
    targets: [{ units: [1], seed: 4 }],
    frames: 5,
    windowSize: 2,
    iterations: 6,
  };
  const { result: undisturbed } = await losing(device, [], film);
  const { result, losses } = await losing(device, [3], film);
  assert.deepEqual(result, undisturbed);
  assert.equal(losses.length, 1);
});

Deno.test("a search goes on from the last state that was read, and without one from its start", async () => {
  using device = await openDevice();
  const { losses: [read] } = await losing(device, [20]);
  assert.ok(read.iteration > 10, `${read.iteration}`);
  const { losses: [start] } = await losing(device, [20], { saveMs: 1e9 });
  assert.equal(start.iteration, 0);
});

Deno.test("wherever a device is lost while kernels are compiled and tensors are made", async () => {
  using device = await openDevice();
  const make = device.make.bind(device);
  let made = 0;
  let at = Infinity;
  device.make = (label, create) => {
    if (made++ === at) device.gpu.destroy();
    return make(label, create);
  };
  const random = uniform("losses");
  for (let time = 0; time < 4; time++) {
    device.cache.clear(); // so that as much is made as by the undisturbed search
    [made, at] = [0, Math.floor(random() * all)];
    const { result, losses } = await losing(device, []);
    assert.deepEqual(result, undisturbed);
    assert.equal(losses.length, 1, `lost at ${at} of ${all}`);
  }
});

Deno.test("a search that loses a fourth device, or whose adapter is gone, ends with the loss", async () => {
  using device = await openDevice();
  const isLoss = (error: unknown) => error instanceof GpuError && error.kind === "lost";
  await assert.rejects(losing(device, [1, 2, 3, 4]), isLoss);
});

Deno.test("a device that its owner closed is not opened again", async () => {
  const device = await openDevice();
  const closing = losing(device, [], { onProgress: () => device[Symbol.dispose]() });
  await assert.rejects(closing, /closed/);
});

Deno.test("aborted when the device is lost: the picture of the state that there is", async () => {
  using device = await openDevice();
  const stop = new AbortController();
  const { result: { aborted, iterations, items } } = await losing(device, [12], {
    signal: stop.signal,
    onProgress({ iteration }) {
      if (iteration >= 12) stop.abort();
    },
  });
  assert.equal(aborted, true);
  assert.ok(iterations >= 10 && iterations < 20, `${iterations}`);
  assert.equal(items[0].trace.length, iterations);
});
