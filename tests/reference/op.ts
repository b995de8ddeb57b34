/**
 * What every float64 reference of a layer type is: its forward, its gradient and the shapes of its weights.
 */
import type { Tensor } from "./tensor.ts";

/** The weights of one layer by the last part of their name: `weight`, `bias`, `mean`, `variance`. */
export type Weights = Record<string, Tensor>;

/** The gradients of one layer: one for each of its inputs, and one for each weight that can be trained, made when they are read. */
export interface Gradients {
  inputs: Tensor[];
  readonly weights: Weights;
}

/** A layer type; `P` is its parameters as network.json spells them. Nothing given is ever changed. */
export interface Op<P> {
  forward(inputs: Tensor[], parameters: P, weights: Weights): Tensor;
  /** From dy, the gradient to the output `y` of `forward(inputs, …)`. */
  backward(inputs: Tensor[], y: Tensor, dy: Tensor, parameters: P, weights: Weights): Gradients;
  /** The shapes that `weights` must have; absent where the type has none. Input shapes include the batch. */
  weightShapes?(inputs: number[][], parameters: P): Record<string, number[]>;
}

/** The parameters of a layer type that has none. */
export type NoParameters = Record<never, never>;
