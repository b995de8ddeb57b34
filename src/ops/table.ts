/** The table of layer types: the name in network.json and the op behind it. */
import { exp, log, relu, sigmoid, sqrt, tanh } from "./activations.ts";
import { batchnorm, bias, scale } from "./affine.ts";
import { binary } from "./binary.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { constant } from "./constant.ts";
import { conv2d } from "./conv/conv2d.ts";
import { deconv2d } from "./conv/deconv2d.ts";
import { eltwise } from "./eltwise.ts";
import { elu } from "./elu.ts";
import { erf } from "./erf.ts";
import { fc } from "./conv/fc.ts";
import { lrn } from "./lrn.ts";
import { lstm } from "./lstm.ts";
import { matmul } from "./matmul.ts";
import { mean } from "./mean.ts";
import type { Op } from "./op.ts";
import { pad } from "./pad.ts";
import { avgpool, maxpool } from "./pool.ts";
import { power } from "./power.ts";
import { prelu } from "./prelu.ts";
import { resample } from "./resample.ts";
import { resize } from "./resize.ts";
import { round } from "./round.ts";
import { crop, dropout, flatten, reshape } from "./shape_ops.ts";
import { slice } from "./slice.ts";
import { logsoftmax, softmax } from "./softmax.ts";
import { transpose } from "./transpose.ts";
import { warp } from "./warp.ts";

/** Every layer type. */
export const ops: Readonly<Record<string, Op>> = {
  avgpool,
  batchnorm,
  bias,
  binary,
  clip,
  concat,
  constant,
  conv2d,
  crop,
  deconv2d,
  dropout,
  eltwise,
  elu,
  erf,
  exp,
  fc,
  flatten,
  log,
  logsoftmax,
  lrn,
  lstm,
  matmul,
  maxpool,
  mean,
  pad,
  power,
  prelu,
  relu,
  resample,
  reshape,
  resize,
  round,
  scale,
  sigmoid,
  slice,
  softmax,
  sqrt,
  tanh,
  transpose,
  warp,
} as Record<string, Op>;

/** The name of an op in network.json. */
export const typeOf = (op: Op): string => Object.keys(ops).find((type) => ops[type] === op)!;
