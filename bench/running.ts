/** What runs: an iteration of the search or a network, as a plan that stands, with numbers to run on. */
import { writeMap } from "../src/gpu/map.ts";
import { openModel } from "../src/cli/defaults.ts";
import type { Device } from "../src/gpu/device.ts";
import { buildGraph } from "../src/net/graph.ts";
import type { Model } from "../src/net/model.ts";
import { buildPlan, type Plan } from "../src/net/plan.ts";
import { count } from "../src/ops/op.ts";
import type { SearchOptions } from "../src/synth/options.ts";
import { normals } from "../src/synth/random.ts";
import { openNetwork } from "./networks/open.ts";
import { openSearch } from "./synth/search.ts";
import { openPair } from "./synth/subject.ts";

/** What shall run: a network, or a generator with a classifier, the embedded ones unless given. */
export interface Wanted {
  generator?: string;
  classifier?: string;
  /** A model folder. */
  model?: string;
  /** A network that is known by name, with random weights. */
  network?: string;
  /** Of a network: the layer that it ends with; its last unless given. */
  layer?: string;
  /** Of a network: without the gradient to its input. */
  forward?: boolean;
  batch: number;
}

/** How its plan is made. */
export type How = Pick<SearchOptions, "weights" | "arithmetic" | "choose" | "replace" | "onReady" | "onPlan">;

/** A plan with numbers to run on. */
export interface Running extends Disposable {
  /** In words, such as "deepsim64 and caffenet64, batch 1". */
  title: string;
  plan: Plan;
  /** Makes the next run a first one. */
  restart(): void;
}

/** Compiles what was loaded, as often as it is asked. @throws UserError, GpuError */
export type OpenRunning = (device: Device, how?: How) => Promise<Running>;

/** Loads it. @throws UserError */
export async function loadRunning(wanted: Wanted): Promise<OpenRunning> {
  const { model, network, batch } = wanted;
  if ((model ?? network) === undefined) {
    const pair = await openPair(wanted);
    return (device, how) => openSearch(device, pair, batch, how);
  }
  const loaded = await (model === undefined ? openNetwork(network!) : openModel(model));
  return (device, how = {}) => networkRunning(device, loaded, wanted, how);
}

async function networkRunning(
  device: Device,
  model: Model,
  { layer, forward, batch }: Wanted,
  { weights, onReady, ...how }: How,
): Promise<Running> {
  const graph = buildGraph(model);
  const output = layer === undefined ? graph.output : graph.find(layer);
  const gradient = forward ? undefined : { of: [output], to: graph.inputs[0] };
  const plan = await buildPlan(device, { graph, batch, wanted: [output], gradient, storage: weights, ...how });
  const restart = () => {
    const { of, dy } = plan.tensors;
    for (const [seed, tensor] of [...graph.inputs.map(of), ...dy ?? []].entries()) {
      writeMap(device, tensor, normals(seed, count(tensor.shape)));
    }
  };
  try {
    await onReady?.(plan);
    restart();
  } catch (error) {
    plan[Symbol.dispose]();
    throw error;
  }
  return {
    title: `${model.name}, ${forward ? "forward" : "forward and gradient"}, batch ${batch}`,
    plan,
    restart,
    [Symbol.dispose]: () => plan[Symbol.dispose](),
  };
}
