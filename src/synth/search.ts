/**
 * DGN-AM: climbs a target, such as the activation of units of a classifier, through the code of a generator.
 *
 *   x = fit(G(code));  g = ∂ Σ_k w_k t_k(x) / ∂code;  code ← clip(code + rate · g / mean|g|, 0, mean + 3σ) · decay
 *
 * (Nguyen et al. 2016, the paper's program's numbers as defaults). Many targets run as one batch. Iterations are
 * submitted several at a time, as many as fit into a fraction of a second; only the trace comes back between submits.
 *
 * An item whose gradient is exactly zero stays where it is. Where that is so at the start, a few steps go before the first in which
 * ReLUs that are off let the gradient through where it would turn them on (as Lucid does, Olah et al. 2017).
 *
 * Whoever is told of its progress may answer with other settings (`change.ts`): the iterations that are left then go by these.
 *
 * What a search would go on from is read back every few seconds, with what is read anyway. When the device is lost, it is opened
 * anew and the search goes on from there: on the same adapter to the same values, bit for bit.
 */
import { UserError } from "../formats/user_error.ts";
import type { Device } from "../gpu/device.ts";
import { sequenceLayer } from "../net/graph.ts";
import type { Picture } from "../net/picture.ts";
import type { PlanMemory } from "../net/plan.ts";
import { checkAsked } from "./asked.ts";
import type { Orders } from "./film/order.ts";
import type { Size } from "./images/image.ts";
import { earlierOf, goOn, type Journey } from "./journey.ts";
import { despiteLosses, type Loss } from "./losses.ts";
import { settleObjective } from "./objective.ts";
import { octaveSizes, throughOctaves } from "./octaves.ts";
import { type SearchOptions, settle, suitable, sumOf, type Target } from "./options.ts";
import { prepare, type Stage } from "./stages.ts";

/** A unit with its name and activation. */
export interface Ranked {
  /** Its number within the layer. */
  unit: number;
  /** Its label, where the model has labels; its number otherwise. */
  name: string;
  /** Its value on the picture. */
  activation: number;
}

/** The state of a search between two submits. */
export interface Progress {
  /** Steps done, whatever settings changed meanwhile. */
  iteration: number;
  /** Steps in all, as asked for until now. */
  iterations: number;
  /** Of each target, or of each frame of a film, as is all that follows. */
  activations: Float32Array;
  /** The strongest unit for each target, when a term is of the classifier's output or the logits of it. */
  top?: Ranked[];
  /** So many of the strongest units for each target, likewise. */
  strongest(most: number): Ranked[][] | undefined;
  /** The pictures as they are now. */
  pictures(): Promise<Picture[]>;
  /** Their codes, and those that the last step made of them. */
  codes(): Promise<{ code: Float32Array; next: Float32Array }[]>;
}

/** What came out for one target. */
export interface SearchItem {
  /** As it was asked for. */
  target: Target;
  /** The last picture. */
  picture: Picture;
  /** The code of the picture. */
  code: Float32Array;
  /** The code that the last step made of it, with which a search would go on. */
  next: Float32Array;
  /** The activation, or what the target's terms come to without its pairs, at every iteration. */
  trace: Float32Array;
  /** The last value of `trace`. */
  activation: number;
  /** The classifier's five strongest output units on the picture, by their logits where these were searched. */
  top: Ranked[];
  /** The layer whose activations those are. */
  topOf: string;
  /** The gradient was zero throughout, or since settings changed: nothing leads to this unit. */
  zeroGradient: boolean;
  /** Steps before the first, or the first with the last settings, that went through ReLUs that were off. */
  redirected: number;
  /**
   * What there is beside, where it is a film. Its picture is the first frame then, its codes those of all frames one after another, and
   * its trace, activation and strongest units are of the mean over the frames.
   */
  film?: Film;
}

/** The frames of a film. */
export interface Film {
  /** In their order, each with its own activation. */
  frames: readonly { picture: Picture; activation: number }[];
  /** How many were drawn at a time. */
  windowSize: number;
  /** What other orders come to, where they were asked for. */
  orders?: Orders;
}

/** GPU memory of a search in bytes, and what the device counted in use meanwhile. */
export type SearchMemory = PlanMemory & { device: number };

/** A finished or aborted search. */
export interface SearchResult {
  /** Iterations done. */
  iterations: number;
  /** Whether a signal ended it before its time. */
  aborted: boolean;
  /** By the clock, from its start on the device. */
  seconds: number;
  /** Dispatches of one iteration. */
  dispatches: number;
  /** Multiplications and additions of one iteration: a multiply-add is two. */
  flops: number;
  /** That of the last octave, where there are several. */
  memory: SearchMemory;
  /** The memory of each octave, the last one's as well, where there are several. */
  octaves?: readonly { size: Size; memory: SearchMemory }[];
  /** The devices that were lost meanwhile. */
  losses: Loss[];
  /** One a target, in their order. */
  items: SearchItem[];
}

/**
 * Runs a search.
 *
 * ```ts
 * const { items: [{ picture }] } = await search(device, { generator, classifier, targets: [{ units: [945], seed: 0 }] });
 * ```
 * @throws UserError when models, layer, units or codes do not fit, or what comes out is not finite; GpuError when the device fails.
 */
export async function search(device: Device, options: SearchOptions): Promise<SearchResult> {
  checkAsked(options);
  const { octaves } = suitable(options, options.classifier);
  if (octaves === 1) return await searchStage(device, prepare(options));
  return await throughOctaves(options, (stage, size) => searchStage(device, prepare(stage, size)));
}

async function searchStage(device: Device, stage: Stage): Promise<SearchResult> {
  const { options, joined } = stage;
  const settings = settle(device, joined, options);
  const { objective: { sources } } = settings;
  const sequence = sequenceLayer(joined.graph, [...sources, joined.output])?.name;
  if (sequence !== undefined && options.targets.length > 1 && options.frames === undefined) {
    throw new UserError(
      `${options.classifier.name}: layer "${sequence}" takes what runs together for steps in time; search one target at a time, ` +
        "or for the frames of a film",
    );
  }
  const journey: Journey = { device, ...stage, settings, told: 0, earlier: new Float32Array() };
  const losses: Loss[] = [];
  const result = await despiteLosses(device, () => goOn(journey), (adapter) => {
    const loss = { iteration: earlierOf(journey) + (journey.saved?.iteration ?? 0), adapter };
    losses.push(loss);
    options.onLost?.(loss);
  });
  // A change on the way gives targets the codes that it goes on from.
  const items = result.items.map((item, n) => ({ ...item, target: stage.asked.targets[n] }));
  return { ...result, items, losses };
}

/** Refuses what a search would refuse of its models and targets, before there is a device. @throws UserError */
export function checkSearch(options: SearchOptions): void {
  checkAsked(options);
  const { joined, options: { layer, targets, directions } } = prepare(options);
  settleObjective(joined, targets.map((target) => sumOf(target, layer, 0)), directions);
}

/** What is done to pictures, in each size that a search goes through, where they are not of the classifier's. @throws UserError */
export function fittingsOf(options: SearchOptions): ("crop" | "resize" | undefined)[] {
  const sizes = octaveSizes(options);
  return (sizes.length > 0 ? sizes : [undefined]).map((size) => prepare(options, size).joined.fitted);
}
