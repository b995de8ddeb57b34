/** The table of layer types: the name in network.json and the op behind it. */
import { relu, sigmoid, tanh } from "./activations.ts";
import { batchnorm, scale } from "./affine.ts";
import { binary } from "./binary.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { constant } from "./constant.ts";
import { conv2d } from "./conv2d.ts";
import { deconv2d } from "./deconv2d.ts";
import { eltwise } from "./eltwise.ts";
import { fc } from "./fc.ts";
import { lrn } from "./lrn.ts";
import { matmul } from "./matmul.ts";
import { mean } from "./mean.ts";
import type { Op } from "./op.ts";
import { pad } from "./pad.ts";
import { avgpool, maxpool } from "./pool.ts";
import { crop, dropout, flatten, reshape } from "./shape_ops.ts";
import { logsoftmax, softmax } from "./softmax.ts";
import { transpose } from "./transpose.ts";

/** Every layer type. */
export const ops: Readonly<Record<string, Op>> = {
  avgpool,
  batchnorm,
  binary,
  clip,
  concat,
  constant,
  conv2d,
  crop,
  deconv2d,
  dropout,
  eltwise,
  fc,
  flatten,
  logsoftmax,
  lrn,
  matmul,
  maxpool,
  mean,
  pad,
  relu,
  reshape,
  scale,
  sigmoid,
  softmax,
  tanh,
  transpose,
} as Record<string, Op>;
