/**
 * Choosing ways: for each layer one way to its output and, where a gradient is wanted, one to that, which read the same form
 * of its weights. Unless somebody else chooses, the pair with the smallest predicted cost.
 */
import { GpuError } from "../gpu/error.ts";
import type { Task } from "../ops/op.ts";
import { type Backward, type Candidate, candidatesFor, cheapest, formOf, type Forward } from "../ops/way.ts";
import type { FusedLayer } from "./fuse.ts";

/** What there is to choose from. */
export interface Question {
  layer: string;
  pass: "forward" | "backward";
  /** In the registry's order. The cost of a way forward includes the cheapest gradient that goes with it. */
  candidates: readonly Candidate[];
}

/** Picks one of a question's candidates, or one of their ways with sizes of its own. */
export type Choose = (question: Question) => Candidate;

/** The ways of a layer. */
export interface LayerWays {
  forward: Candidate<unknown, Forward<unknown>>;
  backward?: Candidate<unknown, Backward<unknown>>;
}

/** By the predicted cost: of equals the first. */
export const chooseCheapest: Choose = ({ candidates }) => cheapest(candidates);

/** Chooses the ways of a layer. @throws GpuError where none applies. */
export function chooseWays({ name, op }: FusedLayer, task: Task, gradient: boolean, choose: Choose): LayerWays {
  const backward = gradient ? candidatesFor(op.backward, task) : [];
  const matching = (form: string) => backward.filter(({ way }) => formOf(way) === form);
  const forward = candidatesFor(op.forward, task).flatMap((candidate) => {
    if (!gradient) return [candidate];
    const partners = matching(formOf(candidate.way));
    return partners.length ? [{ ...candidate, cost: candidate.cost + cheapest(partners).cost }] : [];
  });
  if (forward.length === 0) throw new GpuError("validation", name, "there is no way to compute it on this adapter");
  const chosen = choose({ layer: name, pass: "forward", candidates: forward as Candidate[] });
  return {
    forward: chosen as LayerWays["forward"],
    backward: gradient
      ? choose({
        layer: name,
        pass: "backward",
        candidates: matching(formOf(chosen.way)) as Candidate[],
      }) as LayerWays["backward"]
      : undefined,
  };
}
