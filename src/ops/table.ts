/** The table of layer types: the name in network.json and the op behind it. */
import { relu, sigmoid, tanh } from "./activations.ts";
import { batchnorm, bias, scale } from "./affine.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { deconv2d } from "./deconv2d.ts";
import { eltwise } from "./eltwise.ts";
import { elu } from "./elu.ts";
import { fc } from "./fc.ts";
import { lrn } from "./lrn.ts";
import { lstm } from "./lstm.ts";
import type { Op } from "./op.ts";
import { avgpool, maxpool } from "./pool.ts";
import { prelu } from "./prelu.ts";
import { crop, dropout, flatten, reshape } from "./shape_ops.ts";
import { slice } from "./slice.ts";
import { softmax } from "./softmax.ts";

/** Every layer type. */
export const ops: Readonly<Record<string, Op>> = {
  avgpool,
  batchnorm,
  bias,
  concat,
  conv2d,
  crop,
  deconv2d,
  dropout,
  eltwise,
  elu,
  fc,
  flatten,
  lrn,
  lstm,
  maxpool,
  prelu,
  relu,
  reshape,
  scale,
  sigmoid,
  slice,
  softmax,
  tanh,
} as Record<string, Op>;
