/**
 * Choosing ways: for each layer one way to its output and, where a gradient is wanted, one to that, which read the same form
 * of its weights. Unless somebody else chooses, the pair with the smallest predicted cost.
 */
import { GpuError } from "../gpu/error.ts";
import type { HostTensor, Task } from "../ops/op.ts";
import { type Backward, type Candidate, candidatesFor, cheapest, formOf, type Forward } from "../ops/way.ts";
import type { FusedLayer } from "./fuse.ts";

/** What ways are chosen for: a layer as it will run, its tensors without memory yet. */
export interface Subject {
  /** What is computed. */
  readonly layer: FusedLayer;
  /** With which tensors, and how. */
  readonly task: Task;
  /** Whether a gradient is wanted too. */
  readonly gradient: boolean;
  /** Its weights, where somebody has them at hand. */
  readonly host?: Record<string, HostTensor>;
}

/** What there is to choose from. */
export interface Question {
  /** The layer's name. */
  layer: string;
  /** What of it is to be computed. */
  about: Subject;
  /** Which of its two directions. */
  pass: "forward" | "backward";
  /** In the registry's order. The cost of a way forward includes the cheapest gradient that goes with it. */
  candidates: readonly Candidate[];
}

/** Picks one of a question's candidates, or one of their ways with sizes of its own. */
export type Choose = (question: Question) => Candidate;

/** The ways of a layer. */
export interface LayerWays {
  /** The way of the output. */
  forward: Candidate<unknown, Forward<unknown>>;
  /** The way of the gradients, where there are any. */
  backward?: Candidate<unknown, Backward<unknown>>;
}

/** The ways to an output and its gradient that read the same form of weights. */
export interface Pairing {
  forward: LayerWays["forward"][];
  backward: NonNullable<LayerWays["backward"]>[];
}

/** By the predicted cost: of equals the first. */
export function chooseCheapest({ candidates }: Question): Candidate {
  return cheapest(candidates);
}

/** The ways that a subject's output and gradient can go, by the form of weights that both read. */
export function pairings({ layer: { op }, task, gradient }: Subject): Map<string, Pairing> {
  const forward = Map.groupBy(candidatesFor(op.forward, task), ({ way }) => formOf(way));
  const backward = Map.groupBy(gradient ? candidatesFor(op.backward, task) : [], ({ way }) => formOf(way));
  return new Map([...forward].flatMap(([form, ways]) => {
    const partners = backward.get(form) ?? [];
    return gradient && partners.length === 0 ? [] : [[form, { forward: ways, backward: partners }]];
  }));
}

/** Chooses the ways of a layer. @throws GpuError where none applies. */
export function chooseWays(about: Subject, choose: Choose): LayerWays {
  const { layer: { name }, gradient } = about;
  const all = pairings(about);
  const candidates = [...all.values()].flatMap(({ forward, backward }) => {
    const least = gradient ? cheapest(backward).cost : 0;
    return forward.map((candidate) => ({ ...candidate, cost: candidate.cost + least }));
  });
  if (candidates.length === 0) throw new GpuError("validation", name, "there is no way to compute it on this adapter");
  const ask = (pass: Question["pass"], candidates: readonly unknown[]) =>
    choose({ layer: name, about, pass, candidates: candidates as Candidate[] });
  const forward = ask("forward", candidates) as LayerWays["forward"];
  if (!gradient) return { forward };
  return { forward, backward: ask("backward", all.get(formOf(forward.way))!.backward) as LayerWays["backward"] };
}
