/** Pictures as a network's numbers: orders, means, and a scale for all channels or for each. */
import assert from "node:assert/strict";
import type { Model } from "../../src/net/model.ts";
import { type ImageFormat, parseNetwork } from "../../src/net/network.ts";
import { inputToPicture, pictureToInput } from "../../src/net/picture.ts";
import { join } from "../../src/synth/joined.ts";
import { assertClose } from "../reference/close.ts";
import { tensor } from "../reference/tensor.ts";
import { refuses } from "../tools/convert/converted.ts";

/** network.json of a network that hands pictures of 1 × 2 on. */
const json = (image: unknown) =>
  JSON.stringify({
    name: "net",
    inputs: [{ name: "data", shape: [3, 1, 2] }],
    image,
    layers: [{ name: "same", type: "dropout", input: "data" }],
  });
const network = (image: unknown) => parseNetwork(json(image), "network.json");

const picture = { width: 2, height: 1, rgb: Uint8Array.of(10, 20, 30, 110, 120, 130) };
const formats: [ImageFormat, number[]][] = [
  [{ order: "RGB", mean: [10, 20, 30], scale: 0.5 }, [0, 50, 0, 50, 0, 50]],
  [{ order: "BGR", mean: [10, 20, 30], scale: 0.5 }, [10, 60, 0, 50, -10, 40]],
  [{ order: "RGB", mean: [0, 20, 40], scale: [1, 2, 3] }, [10, 110, 0, 200, -30, 270]],
  [{ order: "BGR", mean: [0, 20, 40], scale: [1, 2, 3] }, [30, 130, 0, 200, -90, 210]],
];

Deno.test("pictures: (pixel − mean) · scale in the network's order, and back", () => {
  for (const [image, expected] of formats) {
    const values = pictureToInput(network(image), picture);
    assert.deepEqual([...values], expected);
    assert.deepEqual(inputToPicture(network(image), values, [3, 1, 2]), picture);
  }
});

Deno.test("pictures: a network that does not say how it takes them is told how it would", () => {
  refuses(
    () => pictureToInput(network(undefined), picture),
    /"net" has no "image" entry, .*`deno task convert` with --pixels/,
  );
});

Deno.test("pictures: a generator's numbers become a classifier's, whatever the formats", () => {
  const model = (image: ImageFormat): Model => (
    { name: "net", where: "net", network: network(image), weights: new Map(), labels: [], hash: "" }
  );
  for (const [from, values] of formats) {
    for (const [to, expected] of formats) {
      if (from === to) continue;
      const layer = join(model(from), model(to)).graph.layers.find(({ op }) => op.weightShapes !== undefined)!;
      const [weight, bias] = ["weight", "bias"].map((name) => layer.weight(name).values);
      const converted = expected.map((_, n) => {
        const channel = n >> 1;
        const pixel = n & 1;
        return [0, 1, 2].reduce((sum, c) => sum + weight[3 * channel + c] * values[2 * c + pixel], bias[channel]);
      });
      assertClose("pixels", { shape: [6], data: converted }, tensor([6], expected), 1e-6);
    }
  }
});

Deno.test("pictures: a scale that is none is refused", () => {
  for (const resize of [0, 0.5, "x", 1e9]) {
    refuses(() => network({ order: "RGB", mean: [0, 0, 0], scale: 1, resize }), /"resize" \(a side up to 8192/);
  }
  for (const scale of [0, -1, "1", null, [], [1, 2], [1, 2, 0], [1, 2, "3"], [[1, 2, 3]]]) {
    refuses(() => network({ order: "RGB", mean: [0, 0, 0], scale }), /"scale" \(one number > 0, or one a channel\)/);
  }
  const text = json({ order: "RGB", mean: [0, 0, 0], scale: 1 }).replace('"scale":1', '"scale":1e999');
  refuses(() => parseNetwork(text, "f"), /"scale"/);
});
