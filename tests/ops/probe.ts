/**
 * Every layer type over its small cases, as the float64 reference computes it and as the op is given it: what the op says of
 * itself is compared with what it does.
 */
import type { Adapter } from "../../src/gpu/adapter.ts";
import { write } from "../../src/gpu/call.ts";
import { featureMap, type Tensor as GpuTensor } from "../../src/gpu/tensor.ts";
import { buildGraph, hostWeights, type Layer } from "../../src/net/graph.ts";
import { batched, formatsOf, type Node, type Op, type Task } from "../../src/ops/op.ts";
import { ops } from "../../src/ops/table.ts";
import { type Candidate, candidatesFor, formOf } from "../../src/ops/way.ts";
import { allCases } from "../cases/all.ts";
import { type Case, caseNetwork, casesOf, type NetworkCase } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import { layerWeights, referenceOp } from "../reference/network.ts";
import type { Weights } from "../reference/op.ts";
import { count, type Tensor } from "../reference/tensor.ts";

/** Values of all inputs together, past which a case is not small. */
const SMALL = 1000;

/** Types that the tables leave to the small networks. */
const others: Case[] = ["log", "sqrt"].flatMap((type) =>
  casesOf(type, [{ name: "batch 3", inputs: [[3, 5, 4, 3]], params: {}, tolerance: 1e-5 }])
);

const sizeOf = ({ inputs }: Case): number => inputs.reduce((sum, shape) => sum + count(shape), 0);

/** The small cases of a layer type, the smallest first. */
export function smallCases(type: string): Case[] {
  const all = [...allCases, ...others].filter((testCase) => testCase.type === type && sizeOf(testCase) <= SMALL);
  return all.sort((a, b) => sizeOf(a) - sizeOf(b));
}

/** The layer types that read something. */
export const readingTypes = Object.keys(ops).filter((type) => ops[type].inputs !== 0);

/** One small case of an op. */
export interface Probe {
  op: Op;
  networkCase: NetworkCase;
  layer: Layer;
  inputs: Tensor[];
  weights: Weights;
  y: Tensor;
  /** The reference's output of other inputs or weights. */
  run(inputs: Tensor[], weights?: Weights): Tensor;
}

/** The small cases of a layer type with what the reference makes of them. */
export function probes(type: string): Probe[] {
  return smallCases(type).map((testCase) => {
    const networkCase = caseNetwork(testCase);
    const [spec] = networkCase.network.layers;
    const weights = layerWeights(spec, networkCase.weights);
    const inputs = [...networkCase.inputs.values()];
    const run = (inputs: Tensor[], own = weights) => referenceOp(type).forward(inputs, spec, own);
    const [layer] = buildGraph(caseModel(networkCase)).layers;
    return { op: ops[type], networkCase, layer, inputs, weights, y: run(inputs), run };
  });
}

/** A probe's layer as a plan gives it to its op, no tensor having memory; with `rests`, all maps have one. */
export function taskOf(adapter: Adapter, { layer, inputs: [{ shape: [batch] }] }: Probe, rests = false): Task {
  const mapOf = (label: string, shape: readonly number[]): GpuTensor => {
    const tensor = featureMap(adapter, label, batched(batch, shape));
    return rests ? { ...tensor, rest: featureMap(adapter, `rest of ${label}`, tensor.shape) } : tensor;
  };
  return {
    adapter,
    params: layer.params,
    inputs: layer.inputs.map(({ name, shape }) => mapOf(name, shape)),
    shapes: layer.inputs.map(({ shape }) => shape),
    output: mapOf("output", layer.output.shape),
    formats: formatsOf(hostWeights(layer), "stored"),
    storage: "stored",
    anyForm: true,
    doubleFloat: rests,
    arithmetic: "f32",
  };
}

/** The task with weights in a form. */
export function nodeOf(task: Task, { layer }: Probe, form: string): Node {
  const { name, op } = layer;
  const weights = Object.entries(op.pack?.(hostWeights(layer), task, form) ?? {}).map(([key, { texels, format }]) =>
    [key, { ...featureMap(task.adapter, key, [1, texels * 4, 1, 1]), format }] as const
  );
  return { ...task, name, weights: Object.fromEntries(weights), saved: {} };
}

/** What every way of a probe's op calls, forward and backward, in the first of its sizes; ways that go together come in pairs. */
export function* callsOf(adapter: Adapter, probe: Probe, rests = false) {
  const { op } = probe;
  const task = taskOf(adapter, probe, rests);
  const byForm = <C extends Candidate<never, unknown>>(candidates: readonly C[]) => {
    const firsts = [...Map.groupBy(candidates, ({ way }) => way).values()].map(([first]) => first);
    return Map.groupBy(firsts, ({ way }) => formOf(way));
  };
  const backwards = byForm(candidatesFor(op.backward, task));
  for (const [form, forwards] of byForm(candidatesFor(op.forward, task))) {
    const partners = backwards.get(form) ?? [];
    const pairs = partners.length === 0 ? 0 : Math.max(forwards.length, partners.length);
    for (let n = 0; n < pairs; n++) {
      const forward = forwards[n % forwards.length];
      const backward = partners[n % partners.length];
      const node = nodeOf(task, probe, form);
      const dy = { ...node.output };
      const dx = node.inputs.map((input) => write({ ...input }));
      yield {
        node,
        forward: forward.way.calls(node, write(node.output), forward.sizes),
        backward: backward.way.calls(node, dy, dx, backward.sizes),
        weights: op.weightGradients?.(node, dy),
      };
    }
  }
}
