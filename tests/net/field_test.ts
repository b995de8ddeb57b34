/** Receptive fields against the pixels that have a gradient, in float64, over small networks whose weights are all positive. */
import assert from "node:assert/strict";
import { fieldAt, fieldsOf } from "../../src/net/field.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { layersOf } from "../../src/net/layers.ts";
import { chw } from "../../src/ops/op.ts";
import { randomWeights } from "../cases/case.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { gradient, type Layer, type Network, runNetwork } from "../reference/network.ts";
import { map, tensor } from "../reference/tensor.ts";
import { caseModel } from "./case_model.ts";

/** Steps along both axes, holes, windows past the edge, a way up again, and branches of other sizes. */
const steps: Network = {
  name: "steps",
  inputs: [{ name: "data", shape: [2, 40, 33] }],
  layers: [
    { name: "a", type: "conv2d", input: "data", channels: 3, kernel: [3, 2], stride: [2, 1], padding: 1, dilation: 2 },
    { name: "b", type: "avgpool", input: "a", kernel: 2, stride: 3, padding: 0 },
    { name: "c", type: "deconv2d", input: "b", channels: 2, kernel: 3, stride: 2, padding: 1 },
    { name: "d", type: "conv2d", input: "c", channels: 2, kernel: 1 },
    { name: "e", type: "conv2d", input: "c", channels: 2, kernel: 5, padding: 2 },
    { name: "f", type: "concat", inputs: ["d", "e"] },
    { name: "g", type: "crop", input: "f", size: [7, 9], offset: [1, 2] },
    { name: "h", type: "resize", input: "g", size: [10, 5] },
    { name: "i", type: "pad", input: "h", axis: 2, before: 2, after: 1, mode: "reflect" },
    { name: "j", type: "slice", input: "i", axis: 1, from: 3, count: 4 },
    { name: "k", type: "resample", input: "j", axis: 2, positions: [7, 6, 0, 0, 3, 4], taps: 2 },
  ],
};

/** A network whose gradients are positive wherever there are any: no maxima, nothing that bends. */
function positive({ layers, ...network }: Network): Network {
  const straight = [
    "conv2d",
    "deconv2d",
    "fc",
    "avgpool",
    "concat",
    "crop",
    "resize",
    "pad",
    "resample",
    "slice",
    "flatten",
    "reshape",
  ];
  return {
    ...network,
    layers: layers.map((layer): Layer => {
      if (straight.includes(layer.type)) return layer;
      const { name, input, inputs, output } = layer;
      if (layer.type === "maxpool") return { ...layer, type: "avgpool" };
      if (layer.type === "eltwise") return { name, inputs, output, type: "eltwise", operation: "sum" };
      return { name, input, output, type: "dropout" };
    }),
  };
}

const known = ["odd classifier", "branches", "in place", "residual"];
for (
  const network of [
    steps,
    ...smallNetworks.map(({ network }) => network).filter(({ name }) => known.includes(name)),
  ]
) {
  Deno.test(`${network.name}: a unit's field is where its gradient is`, () => {
    const own = positive(network);
    const graph = buildGraph(caseModel({ network: own, weights: randomWeights(own) }));
    const weights = new Map(
      [...randomWeights(own)].map(([name, w]) => [name, map(w, (value) => Math.abs(value) + 0.1)]),
    );
    const [input] = graph.inputs;
    const [c, h, w] = chw(input.shape);
    const inputs = new Map([[input.name, tensor([1, c, h, w])]]);
    const values = runNetwork(own, weights, inputs);
    for (const name of new Set(own.layers.map(({ name, output }) => output ?? name))) {
      const { shape } = values.get(name)!;
      const [, , rows = 1, columns = 1] = shape;
      for (const [x, y] of [[Math.floor(columns / 2), Math.floor(rows / 2)], [0, rows - 1]]) {
        // Units of a concatenation, and of what is flattened, see parts of what their layer sees.
        const area = rows * columns;
        const place = y * columns + x;
        const dy = map(tensor(shape), (_, n) => n % area === place ? 1 : 0);
        const dx = gradient(own, weights, inputs, name, dy).get(input.name)!;
        const seen = Array.from(dx.data.keys()).filter((n) => dx.data[n] !== 0).map((
          n,
        ) => [Math.floor(n / w) % h, n % w]);
        const span = (axis: number) => {
          const places = seen.map((place) => place[axis]);
          return { first: Math.min(...places), last: Math.max(...places) };
        };
        const field = fieldAt(graph, graph.find(name), input, [x, y]);
        assert.deepEqual(field, seen.length === 0 ? field : [span(0), span(1)], `${name} at ${x},${y}`);
      }
    }
  });
}

Deno.test("fields: size, step and beginning of CaffeNet's layers are the published ones", () => {
  const conv = (name: string, input: string, kernel: number, padding: number, stride = 1): Layer => ({
    ...{ name, type: "conv2d", input, channels: 1, kernel, padding, stride },
  });
  const pool = (name: string, input: string): Layer => ({ name, type: "maxpool", input, kernel: 3, stride: 2 });
  const network: Network = {
    name: "caffenet's shapes",
    inputs: [{ name: "data", shape: [1, 227, 227] }],
    layers: [
      conv("conv1", "data", 11, 0, 4),
      { name: "relu1", type: "relu", input: "conv1", output: "conv1" },
      pool("pool1", "conv1"),
      conv("conv2", "pool1", 5, 2),
      pool("pool2", "conv2"),
      conv("conv3", "pool2", 3, 1),
      conv("conv4", "conv3", 3, 1),
      conv("conv5", "conv4", 3, 1),
      pool("pool5", "conv5"),
      { name: "fc6", type: "fc", input: "pool5", channels: 2 },
    ],
  };
  const model = caseModel({ network, weights: randomWeights(network) });
  const layers = layersOf(model);
  const found = Object.fromEntries(layers.map(({ name, field }) => [name, [field!.size[0], field!.stride[0]]]));
  const published = { data: [1, 1], conv1: [11, 4], relu1: [11, 4], pool1: [19, 8], conv2: [51, 8], pool2: [67, 16] };
  assert.deepEqual(found, {
    ...published,
    ...{ conv3: [99, 16], conv4: [131, 16], conv5: [163, 16], pool5: [195, 32], fc6: [227, 0] },
  });
  assert.deepEqual(layers.map(({ target }) => target).slice(1, 4), ["conv1", "relu1", "pool1"]);
  const graph = buildGraph(model);
  const [{ offset }] = fieldsOf(graph, graph.inputs[0])(graph.find("conv2"))!;
  assert.equal(offset, -16);
});
