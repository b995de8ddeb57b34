/** What is used here of jax-js, whose own types nobody should have to fetch to check this project's. */

/**
 * jax.Array, or what stands for one while a function is traced. Whatever takes one takes it over: `ref` is another claim to
 * the same values.
 */
export interface Array {
  readonly ref: Array;
  readonly shape: number[];
  add(other: Array | number): Array;
  mul(other: Array | number): Array;
  div(other: Array | number): Array;
  sum(axis?: number | number[], options?: { keepdims: boolean }): Array;
  mean(axis?: number | number[], options?: { keepdims: boolean }): Array;
  reshape(shape: readonly number[]): Array;
  slice(...index: (number | [] | [number, number])[]): Array;
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Unary = (x: Array) => Array;
type Pair = [number, number];

/** The module @jax-js/jax. */
export interface Jax {
  init(...devices: string[]): Promise<string[]>;
  defaultDevice(device: string): string;
  jit<F extends (...xs: Array[]) => Array>(f: F): F;
  grad<F extends (...xs: Array[]) => Array>(f: F): F;
  numpy: {
    array(values: Float32Array, options: { shape: readonly number[] }): Array;
    abs: Unary;
    square: Unary;
    tanh: Unary;
    exp: Unary;
    log: Unary;
    sqrt: Unary;
    power(x: Array, y: number): Array;
    max(x: Array): Array;
    sum(x: Array): Array;
    maximum(x: Array, y: Array): Array;
    clip(x: Array, min?: number, max?: number): Array;
    less(x: Array, y: number): Array;
    where(condition: Array, x: Array, y: Array): Array;
    pad(x: Array, widths: Pair[]): Array;
    concatenate(xs: Array[], axis: number): Array;
    transpose(x: Array, order: number[]): Array;
    matmul(x: Array, y: Array): Array;
  };
  nn: {
    relu: Unary;
    leakyRelu(x: Array, slope: number): Array;
    elu(x: Array, alpha: number): Array;
    sigmoid: Unary;
    softmax(x: Array, axis: number): Array;
    logSoftmax(x: Array, axis: number): Array;
  };
  lax: {
    convGeneralDilated(
      x: Array,
      w: Array,
      strides: Pair,
      padding: Pair[],
      options: { lhsDilation?: Pair; rhsDilation?: Pair; featureGroupCount?: number },
    ): Array;
    reduceWindow(x: Array, computation: Unary, window: number[], strides: number[]): Array;
  };
}
