/** A search in another library: what a peer's module makes of one. */
import { type Layer, neededLayers, type Value } from "../../src/net/graph.ts";
import { typeOf } from "../../src/ops/table.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { SearchSubject } from "../synth/search.ts";
import type { Backend } from "./packages.ts";

/** The same search in a peer, compiled and with its weights in place. */
export interface PeerSearch {
  /** What it computes with, in words. */
  readonly backend: string;
  /** The gradient of the activation at the code that the search starts from: [batch × code values]. */
  gradient(): Promise<Float32Array>;
  /** The codes after so many iterations from the start, at most as many as a search has. */
  climb(iterations: number): Promise<Float32Array>;
}

/** Builds the search. @throws Error whose message is one sentence where the peer cannot express or run it. */
export type OpenPeer = (subject: SearchSubject, backend: Backend) => Promise<PeerSearch>;

/** How a peer expresses one layer: given the layer, and once its weights are in place, its output from its inputs. */
export type Express<T> = (layer: Layer) => (...inputs: T[]) => T;

/** @throws UserError with the layer's name before the message, where `run` throws one. */
function within<T>(layer: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`"${layer}": ${error.message}`) : error;
  }
}

/** The layers between code and units as a function of a batch of codes, and how often each value is read. */
export function express<T>(
  { joined: { graph, logits: layer, code } }: SearchSubject,
  peer: string,
  expressOf: (type: string, layer: Layer) => ReturnType<Express<T>> | undefined,
  share: (value: T) => T = (value) => value,
): (codes: T) => T {
  const layers = neededLayers(graph, [layer]);
  const steps = layers.map((each) => ({ each, run: within(each.name, () => expressOf(typeOf(each.op), each)) }));
  const unknown = steps.find(({ run }) => !run)?.each;
  if (unknown) throw new UserError(`"${unknown.name}": nothing is known of ${typeOf(unknown.op)} in ${peer}`);
  const readers = new Map<Value, number>([[layer, 1]]);
  for (const { inputs } of layers) for (const input of inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
  return (codes) => {
    const values = new Map<Value, T>([[code, codes]]);
    const left = new Map(readers);
    const read = (value: Value) => {
      const more = left.get(value)! - 1;
      left.set(value, more);
      return more > 0 ? share(values.get(value)!) : values.get(value)!;
    };
    for (const { run, each } of steps) values.set(each.output, run!(...each.inputs.map(read)));
    return read(layer);
  };
}

/** The learning rate of the n-th iteration. */
export const rateAt = ({ lrStart, lrEnd, iterations }: SearchSubject["settings"], n: number): number =>
  lrStart + (lrEnd - lrStart) * n / iterations;
