/**
 * What ops say of themselves, from which plans and models draw conclusions, is what they do: no more and no less. Their
 * calls, and the float64 reference, tell what they do.
 */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { traffic } from "../../src/gpu/call.ts";
import type { Tensor as GpuTensor } from "../../src/gpu/tensor.ts";
import { fuse } from "../../src/net/fuse.ts";
import { buildGraph, hostWeights } from "../../src/net/graph.ts";
import { chw, type Node, show } from "../../src/ops/op.ts";
import { reachOf } from "../../src/ops/reach.ts";
import { ops } from "../../src/ops/table.ts";
import { outputGradient, randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import { type Layer, referenceOp, runNetwork } from "../reference/network.ts";
import { map, planes, type Tensor, tensor } from "../reference/tensor.ts";
import { callsOf, type Probe, probes, readingTypes, taskOf } from "./probe.ts";

const device = await openDevice();
const all = new Map(readingTypes.map((type) => [type, probes(type)]));

/** Whether something holds of every small case of a type. */
const always = (type: string, holds: (probe: Probe) => boolean): boolean => all.get(type)!.every(holds);
/** Whether something holds of a small case of a type. */
const ever = (type: string, holds: (probe: Probe) => boolean): boolean => all.get(type)!.some(holds);

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * (1 + Math.abs(b));
const same = (a: Tensor, b: Tensor): boolean => a.data.every((value, n) => near(value, b.data[n]));
const hasWeights = ({ weights }: Probe): boolean => Object.keys(weights).length > 0;

/** Compares what an op says with what it does, for every type that reads something. */
function compare(what: string, says: (type: string) => unknown, does: (type: string) => unknown): void {
  Deno.test(`ops say so: ${what}`, () => {
    for (const type of readingTypes) assert.deepEqual(says(type), does(type), type);
  });
}

Deno.test("every op that reads something has a small case", () => {
  for (const type of readingTypes) assert.ok(all.get(type)!.length > 0, type);
});

/** Whether the calls for the gradients read a tensor of the node's, in any way. */
const gradientReads = (probe: Probe, of: (node: Node) => GpuTensor): boolean =>
  callsOf(device, probe).some(({ node, backward, weights }) =>
    [...backward, ...weights?.calls ?? []].some((call) => traffic(call).reads.includes(of(node)))
  );

compare(
  "the gradient reads the output",
  (type) => ops[type].gradientReadsOutput === true,
  (type) => ever(type, (probe) => gradientReads(probe, ({ output }) => output)),
);

compare(
  "values stay as they are",
  (type) => ops[type].keepsValues === true,
  (type) => always(type, ({ inputs, y }) => inputs.length === 1 && same(inputs[0], y)),
);

Deno.test("ops say so: the output is a view where values stay as they are, and their texels too", () => {
  for (const type of readingTypes) {
    for (const { op, layer: { inputs, params, output } } of all.get(type)!) {
      const stays = op.keepsValues === true && show(chw(inputs[0].shape)) === show(chw(output.shape));
      assert.equal(op.isView?.(inputs.map(({ shape }) => shape), params) ?? false, stays, type);
    }
  }
});

/** Whether y, or e^y, sums to one over the channels of every position. */
function sumsToOne({ y }: Probe, probability: (value: number) => number): boolean {
  const { n, c, area } = planes(y);
  return Array.from({ length: n * area }).every((_, place) => {
    const at = Math.floor(place / area) * c * area + place % area;
    const values = Array.from({ length: c }, (_, channel) => probability(y.data[at + channel * area]));
    return values.every((value) => value >= 0) && near(values.reduce((sum, value) => sum + value, 0), 1);
  });
}

compare(
  "the output is probabilities or their logarithms",
  (type) => ops[type].normalises,
  (type) =>
    always(type, (probe) => sumsToOne(probe, (value) => value))
      ? "softmax"
      : always(type, (probe) => sumsToOne(probe, Math.exp))
      ? "logsoftmax"
      : undefined,
);

/** Whether another item changes when the first or the last one does. */
function itemsMeet({ inputs, y, run }: Probe): boolean {
  const [batch] = y.shape;
  return [0, batch - 1].some((moved) => {
    const changed = run(inputs.map((x) => {
      const size = x.data.length / batch;
      return map(x, (value, n) => Math.floor(n / size) === moved ? value + 0.5 : value);
    }));
    const size = y.data.length / batch;
    return y.data.some((value, n) => Math.floor(n / size) !== moved && value !== changed.data[n]);
  });
}

Deno.test("ops say so: the items of a batch are one sequence", () => {
  for (const type of readingTypes) {
    for (const probe of all.get(type)!) {
      // A single step of a sequence meets no other.
      const several = probe.y.shape[0] / ((probe.layer.params as { streams?: number } | null)?.streams ?? 1) > 1;
      const says = probe.op.isSequence?.(probe.layer.params) ?? false;
      if (several) assert.equal(says, itemsMeet(probe), probe.networkCase.network.name);
    }
  }
});

/** The slope below zero of what is a rectifier over this case's values. */
function slopeOf({ inputs: [x], y }: Probe): number | undefined {
  const below = x.data.findIndex((value) => value < 0);
  if (below < 0 || x.data.length !== y.data.length) return undefined;
  const slope = y.data[below] / x.data[below];
  const rectifies = x.data.every((value, n) => near(y.data[n], value > 0 ? value : slope * value));
  return rectifies && slope >= 0 ? slope : undefined;
}

compare(
  "a kernel can apply it while storing",
  (type) => ops[type].epilogue !== undefined,
  (type) =>
    !always(type, ({ inputs: [x], y }) => same(x, y)) &&
    always(type, (probe) =>
      probe.inputs.length === 1 && !hasWeights(probe) &&
      (slopeOf(probe) !== undefined || probe.inputs[0].data.every((value) => value >= 0))),
);

compare(
  "its slope, where a kernel can apply it while storing",
  (type) => all.get(type)!.map(({ op, layer: { params } }) => op.epilogue?.(params).relu.slope.toFixed(6)),
  (type) => all.get(type)!.map((probe) => probe.op.epilogue ? slopeOf(probe)?.toFixed(6) ?? "0" : undefined),
);

/** How the value in the middle changes with the one at its place, which others do not: in a straight line or otherwise. */
function dependence({ inputs: [x, ...more], y, run }: Probe): "straight" | "bent" | "more" {
  if (more.length > 0 || show(x.shape) !== show(y.shape)) return "more";
  const at = Math.floor(x.data.length / 2);
  const moved = (by: number) => run([map(x, (value, n) => n === at ? value + by : value)]);
  const up = moved(10);
  const down = moved(-10);
  if (!y.data.every((value, n) => n === at || up.data[n] === value)) return "more";
  return near(up.data[at] + down.data[at], 2 * y.data[at]) ? "straight" : "bent";
}

/** Whether each value depends on the one at its place alone, and in a straight line. */
const isAffine = (probe: Probe): boolean => dependence(probe) === "straight";

compare(
  "it is an activation",
  (type) => ops[type].isActivation === true,
  (type) =>
    always(type, (probe) => dependence(probe) !== "more") && ever(type, (probe) => dependence(probe) === "bent"),
);

compare(
  "it is affine, with weights of its own",
  (type) => ops[type].affine !== undefined,
  (type) => always(type, (probe) => hasWeights(probe) && isAffine(probe)),
);

Deno.test("ops say so: the factors and shifts of what is affine", () => {
  for (const type of readingTypes) {
    for (const { op, layer, inputs: [x], y } of all.get(type)!) {
      if (!op.affine) continue;
      const { a, b } = op.affine(hostWeights(layer), layer.params);
      const { c, area } = planes(x);
      const expected = map(x, (value, n) => {
        const channel = Math.floor(n / area) % c;
        return a[channel] * value + (b?.[channel] ?? 0);
      });
      assertClose(type, y, expected, 1e-6);
    }
  }
});

/** Whether `bias` alone, with no other weight, is the value of every channel. */
function addsBias({ op, inputs, weights, run }: Probe): boolean {
  if (op.affine || !weights.bias) return false;
  const zero = Object.entries(weights).map(([name, w]) => [name, name === "bias" ? w : tensor(w.shape)]);
  const y = run(inputs, Object.fromEntries(zero));
  const { c, area } = planes(y);
  return c === weights.bias.data.length &&
    y.data.every((value, n) => value === weights.bias.data[Math.floor(n / area) % c]);
}

/** A probe's layer with one more after it, fused as plans do it. */
function followed({ networkCase: { network, inputs } }: Probe, after: Omit<Layer, "name">) {
  const [layer] = network.layers;
  const both = { ...network, layers: [layer, { ...after, name: "after", input: "layer" } as Layer] };
  const weights = new Map([...randomWeights(both)].map(([name, w]) => [name, map(w, Math.fround)]));
  const graph = buildGraph(caseModel({ network: both, weights }));
  const { layers } = fuse(graph, [graph.output], { relu: true, affine: true });
  return { layers, layer, expected: runNetwork(both, weights, inputs).get("after")! };
}

Deno.test("ops say so: a ReLU is applied while an op stores, but where its gradient would read what was stored", () => {
  for (const type of readingTypes) {
    const [probe] = all.get(type)!;
    const { op, layer: { inputs, params } } = probe;
    const runs = op.isView?.(inputs.map(({ shape }) => shape), params) ? 0 : 1;
    const { layers } = followed(probe, { type: "relu", slope: 0.3 });
    assert.equal(layers.length, runs === 1 && !op.gradientReadsOutput ? 1 : runs + 1, type);
  }
});

Deno.test("ops say so: an affine layer folds into what adds a bias to channels, and the folded weights are right", () => {
  for (const type of readingTypes) {
    for (const probe of all.get(type)!) {
      const { layers: [first], layer, expected } = followed(probe, { type: "scale" });
      const { name } = probe.networkCase.network;
      if (!first.affine || probe.weights.bias) assert.equal(first.affine !== undefined, addsBias(probe), name);
      if (!first.affine) continue;
      const weights = Object.entries(first.weights()).map((
        [key, { shape, values }],
      ) => [key, tensor([...shape], values)]);
      const y = referenceOp(type).forward(probe.inputs, { ...layer, bias: true }, Object.fromEntries(weights));
      assertClose(name, y, expected, 1e-6);
    }
  }
});

compare(
  "gradients to its weights",
  (type) =>
    all.get(type)!.map((probe) => {
      const [{ weights }] = callsOf(device, probe);
      return Object.keys(weights?.gradients ?? {}).sort();
    }),
  (type) =>
    all.get(type)!.map(({ networkCase: { network }, inputs, weights, y }) => {
      const dy = outputGradient(network, y);
      return Object.keys(referenceOp(type).backward(inputs, y, dy, network.layers[0], weights).weights).sort();
    }),
);

/** Whether the op's calls write what rounding lost of y, where there is a place for it. */
function writesRest(probe: Probe): boolean {
  const [{ node, forward }] = callsOf(device, probe, true);
  const writes = forward.flatMap((call) => traffic(call).writes);
  return writes.includes(node.output.rest!);
}

const keepsRest = (probe: Probe): boolean => probe.op.keepsRest?.(taskOf(device, probe, true)) ?? false;

compare("y comes with its rest", (type) => ever(type, keepsRest), (type) => ever(type, writesRest));

/** The rows or columns of an output that change when one of an input does: by a little, and far, to exponents that all bases have. */
function changed({ inputs, y, run }: Probe, n: number, axis: 0 | 1, place: number): Set<number> {
  const extents = ({ shape: [batch, ...item] }: Tensor) => [batch, ...chw(item)];
  const at = (t: Tensor, index: number) => {
    const [, , h, w] = extents(t);
    return axis === 0 ? Math.floor(index / w) % h : index % w;
  };
  const found = new Set<number>();
  const far = (by: number) => (value: number, i: number) => Math.round(value + by * (1 + i % 7));
  for (const move of [far(1000), far(-1000), (value: number, i: number) => value + 0.37 * (1 + i % 7)]) {
    const moved = run(
      inputs.with(n, map(inputs[n], (value, i) => at(inputs[n], i) === place ? move(value, i) : value)),
    );
    y.data.forEach((value, i) => {
      if (value !== moved.data[i] && !(Number.isNaN(value) && Number.isNaN(moved.data[i]))) found.add(at(y, i));
    });
  }
  return found;
}

Deno.test("ops say so: the rows and columns that one of the output is made of", () => {
  // These may read all, and say no more; a softmax of one class does not change.
  const vague = ["fc", "lstm", "matmul", "mean", "transpose", "reshape", "softmax", "logsoftmax"];
  for (const type of readingTypes) {
    for (const probe of all.get(type)!) {
      const { op, layer: { inputs, params, output }, networkCase: { network } } = probe;
      const shapes = inputs.map(({ shape }) => shape);
      for (const axis of [0, 1] as const) {
        const says = Array.from(
          { length: chw(output.shape)[1 + axis] },
          (_, at) => reachOf(op, { axis, at }, shapes, output.shape, params),
        );
        shapes.forEach((shape, n) => {
          for (let place = 0; place < chw(shape)[1 + axis]; place++) {
            const readers = says.flatMap((reach, at) => reach[n] === "all" || reach[n].includes(place) ? [at] : []);
            const moved = changed(probe, n, axis, place);
            const what = `${network.name}: input ${n}, axis ${axis}, ${place}`;
            assert.deepEqual([...moved].filter((at) => !readers.includes(at)), [], what);
            const exact = says.every((reach) => reach[n] !== "all") && !vague.includes(type);
            if (exact) assert.deepEqual(readers.filter((at) => !moved.has(at)), [], what);
          }
        });
      }
    }
  }
});
