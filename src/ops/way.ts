/**
 * Ways: how an op's output, or the gradients to its inputs, can be computed.
 *
 * Each op has a registry of them for each of the two, a list in the order in which equals are preferred. Plans, benchmarks,
 * `doctor` and the tests look nowhere else: what stands in a registry is chosen where it is predicted to be the fastest,
 * timed, and checked against float64. Choosing needs no device and no weights on one.
 */
import type { Binding, Call } from "../gpu/call.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Arithmetic, Node, Task } from "./op.ts";

/** The sizes that a way makes its kernels with: of register tiles, of workgroups. */
export type Sizes = Readonly<Record<string, number>>;

/** One way. `Run` is `Forward` or `Backward`. */
export interface Way<P, Run> {
  /** Unique within its registry. */
  readonly name: string;
  /** The module that it comes from, where it is not ours. */
  readonly file?: string;
  /** The form that it wants the layer's weights in; output and gradients share one copy. `plain` unless given. */
  readonly form?: string;
  /** What it computes sums of products in; f32 unless given. */
  readonly arithmetic?: Arithmetic | "any";
  /** Whether it can do a task: geometry, storage, arithmetic, the adapter's features. Any task unless given. */
  applies?(task: Task<P>): boolean;
  /** The sizes worth trying for a task; none to choose unless given. */
  sizes?(task: Task<P>): readonly Sizes[];
  /**
   * Predicted time, in a unit that all ways of an op share and nothing else is compared in: the convolutions' is nanoseconds
   * of one lane on a CPU, summed over all invocations, and a rough ratio on GPUs.
   */
  cost?(task: Task<P>, sizes: Sizes): number;
  /** The calls that compute it. */
  readonly calls: Run;
}

/** Makes y from the inputs; `y` writes `node.output`. */
export type Forward<P> = (node: Node<P>, y: Binding, sizes: Sizes) => Call[];

/** Makes the gradient to each input that has a binding in `dx`, from dy (the shape of the output). */
export type Backward<P> = (node: Node<P>, dy: Tensor, dx: readonly (Binding | undefined)[], sizes: Sizes) => Call[];

/** A way with its sizes, for one task. */
export interface Candidate<P = unknown, Run = Forward<P> | Backward<P>> {
  /** The way. */
  readonly way: Way<P, Run>;
  /** One choice of its sizes. */
  readonly sizes: Sizes;
  /** Its predicted cost. */
  readonly cost: number;
}

/** The way that most ops have alone: kernels with an invocation for each element. `cost` once there are others. */
export const elements = <Run>(calls: Run, cost?: Way<never, Run>["cost"]): Way<never, Run> => ({
  name: "elements",
  cost,
  calls,
});

/** All that a registry has for a task. */
export function candidatesFor<P, Run>(ways: readonly Way<P, Run>[], task: Task<P>): Candidate<P, Run>[] {
  return ways.filter((way) => way.applies?.(task) ?? true).flatMap((way) =>
    (way.sizes?.(task) ?? [{}]).map((sizes) => {
      const cost = way.cost?.(task, sizes) ?? 0;
      if (Number.isNaN(cost)) throw new RangeError(`way "${way.name}": its cost is NaN`);
      return { way, sizes, cost };
    })
  );
}

/** The form of weights that a way reads. */
export const formOf = ({ form = "plain" }: { form?: string }): string => form;

/** The cheapest of candidates, the first of equals. */
export const cheapest = <C extends { cost: number }>(candidates: readonly C[]): C =>
  candidates.reduce((best, one) => one.cost < best.cost ? one : best);

/** A candidate in words: `direct`, or `direct blocks 2, strips 4`. */
export const describe = ({ way, sizes }: Candidate<never, unknown>): string =>
  [way.name, Object.entries(sizes).map(([size, value]) => `${size} ${value}`).join(", ")].join(" ").trim();
