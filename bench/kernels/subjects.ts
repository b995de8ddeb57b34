/** What `bench kernels` measures: layers, of a network or by themselves, each with how many items it runs at once. */
import { openClassifier, openGenerator, openModel } from "../../src/cli/defaults.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { buildGraph, type Graph, type Layer } from "../../src/net/graph.ts";
import { show } from "../../src/ops/op.ts";
import { typeOf } from "../../src/ops/table.ts";
import { join } from "../../src/synth/joined.ts";
import { allCases } from "../../tests/cases/all.ts";
import { openNetwork } from "../networks/open.ts";
import { layerOf, madeLayer } from "./shape.ts";

/** A layer to be measured. */
export interface Measured {
  layer: Layer;
  batch: number;
  /** Other layers of the network that are the same. */
  same: string[];
}

/** Where layers come from: at most one of model, network, case and shapes, else the default pair; and which of them. */
export interface Wanted {
  model?: string;
  network?: string;
  /** Of the tests' cases those whose name has this. */
  case?: string;
  /** Of the inputs of one layer of type `op`. */
  shape: readonly string[];
  params?: string;
  op?: string;
  /** Only the layers whose name has this. */
  layer?: string;
  /** Items at once; a case brings its own. */
  batch: number;
}

/** @throws UserError for options that say different things of what is to be measured. */
export function checkTogether(wanted: Omit<Wanted, "batch">, batch: string | undefined): void {
  const { model, network, case: text, shape, params, op, layer } = wanted;
  const given = (named: Record<string, unknown>) => Object.keys(named).filter((name) => named[name] !== undefined);
  const sources = given({ model, network, case: text, shape: shape[0] });
  if (sources.length > 1) {
    throw new UserError(`--${sources[0]} and --${sources[1]} are two things to measure; give one`);
  }
  const [odd] = text !== undefined ? given({ batch, op, layer }) : shape.length > 0 ? given({ layer }) : [];
  if (odd) throw new UserError(`--${odd} says nothing of what --${sources[0]} measures`);
  if (shape.length > 0 && op === undefined) throw new UserError("--shape needs the layer's type: --op conv2d");
  if (shape.length === 0 && params !== undefined) {
    throw new UserError("--params needs the shape of an input: --shape CxHxW");
  }
}

/** The layers that are wanted, those that are the same once. @throws UserError where there is none. */
export async function subjectsFor(wanted: Wanted): Promise<Measured[]> {
  const { shape, op, params, case: text, batch } = wanted;
  if (text !== undefined) return ofCases(text);
  if (shape.length > 0) return [{ layer: running(layerOf(op!, shape, params)), batch, same: [] }];
  const { layers } = await graphFor(wanted);
  const found = ofType(layers.filter(computes), op);
  const named = found.filter(({ name }) => name.includes(wanted.layer ?? ""));
  if (named.length === 0) {
    throw new UserError(`--layer ${wanted.layer} is part of no name, expected one of ${namesOf(found)}`);
  }
  const alike = Map.groupBy(
    named,
    ({ op, params, inputs }) => JSON.stringify([typeOf(op), params, inputs.map(({ shape }) => shape)]),
  );
  return [...alike.values()].map(([layer, ...others]) => ({ layer, batch, same: others.map(({ name }) => name) }));
}

/** What layers are, by their names: two of a pair may share one. */
export function layerTexts(measured: readonly Measured[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const { layer: { name, op, params, inputs }, batch } of measured) {
    const text = `${typeOf(op)} of ${batch} × ${inputs.map(({ shape }) => show(shape)).join(", ")} ${
      JSON.stringify(params)
    }`;
    texts[name] = name in texts ? `${texts[name]}; ${text}` : text;
  }
  return texts;
}

async function graphFor({ model, network }: Wanted): Promise<Graph> {
  if (network !== undefined) return buildGraph(await openNetwork(network));
  if (model !== undefined) return buildGraph(await openModel(model));
  return join(await openGenerator(), await openClassifier()).graph;
}

function ofType(layers: readonly Layer[], op: string | undefined): Layer[] {
  const types = new Set(layers.map((layer) => typeOf(layer.op)));
  if (op !== undefined && !types.has(op)) {
    throw new UserError(`--op is "${op}", expected ${[...types].join(", ")}, which are there, or a --shape for it`);
  }
  return layers.filter((layer) => op === undefined || typeOf(layer.op) === op);
}

function ofCases(text: string): Measured[] {
  const found = allCases.filter(({ type, name }) => `${type}: ${name}`.startsWith(text) || name.includes(text));
  if (found.length === 0) throw new UserError(`no case has "${text}" in its name`);
  const measured = found.map(({ type, name, inputs, params }): Measured => {
    const items = inputs.map(([, ...shape], n) => ({ name: `x${n}`, shape }));
    return { layer: madeLayer(`${type}: ${name}`, type, params, items), batch: inputs[0][0], same: [] };
  });
  const kernels = measured.filter(({ layer }) => computes(layer));
  return kernels.length > 0 ? kernels : [{ ...measured[0], layer: running(measured[0].layer) }];
}

/** Whether any kernel runs for a layer. */
const computes = ({ op, inputs, params }: Layer): boolean => !op.isView?.(inputs.map(({ shape }) => shape), params);

/** @throws UserError for a layer whose output is its input's memory. */
function running(layer: Layer): Layer {
  if (computes(layer)) return layer;
  const [{ shape }] = layer.inputs;
  throw new UserError(`${layer.name}: there is nothing to measure, its output is its input of shape ${show(shape)}`);
}

/** Names for a message. */
const namesOf = (layers: readonly Layer[]): string => layers.map(({ name }) => name).join(", ");
