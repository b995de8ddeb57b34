/** What is used here of TensorFlow.js, whose own types nobody should have to fetch to check this project's. */

/** tf.Tensor. Maps are NHWC. */
export interface Tensor {
  readonly shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** tf.ExplicitPadding of a map: [before, after] along each dimension. */
export type ExplicitPadding = [[0, 0], [number, number], [number, number], [0, 0]];

type Pair = [number, number];
type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;
type Convolve = (
  x: Tensor,
  w: Tensor,
  strides: Pair,
  pad: ExplicitPadding,
  format: "NHWC",
  dilations: Pair,
  rounding: "floor",
) => Tensor;
type Pool = (x: Tensor, kernel: Pair, strides: Pair, pad: ExplicitPadding, rounding: "floor") => Tensor;

/** The module @tensorflow/tfjs. */
export interface Tf {
  version: Record<string, string>;
  env(): { set(flag: string, value: unknown): void; getAsync(flag: string): Promise<unknown> };
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  tidy<T>(run: () => T): T;
  keep(x: Tensor): Tensor;
  grad(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  scalar(value: number): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  transpose(x: Tensor, order: number[]): Tensor;
  slice(x: Tensor, begin: number[], size: number[]): Tensor;
  split(x: Tensor, parts: number, axis: number): Tensor[];
  concat(xs: Tensor[], axis: number): Tensor;
  pad(x: Tensor, widths: [number, number][]): Tensor;
  sum: Unary;
  mean(x: Tensor, axis: number | number[], keepDims: boolean): Tensor;
  abs: Unary;
  square: Unary;
  relu: Unary;
  leakyRelu(x: Tensor, alpha: number): Tensor;
  prelu: Binary;
  elu: Unary;
  sigmoid: Unary;
  tanh: Unary;
  exp: Unary;
  log: Unary;
  sqrt: Unary;
  softmax: Unary;
  logSoftmax: Unary;
  clipByValue(x: Tensor, min: number, max: number): Tensor;
  add: Binary;
  mul: Binary;
  div: Binary;
  pow: Binary;
  maximum: Binary;
  matMul: Binary;
  conv2d: Convolve;
  depthwiseConv2d: Convolve;
  conv2dTranspose(
    x: Tensor,
    w: Tensor,
    shape: number[],
    strides: Pair,
    pad: ExplicitPadding,
    rounding: "floor",
  ): Tensor;
  maxPool: Pool;
  avgPool: Pool;
  localResponseNormalization(x: Tensor, radius: number, bias: number, alpha: number, beta: number): Tensor;
}
