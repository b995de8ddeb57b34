/** The table of layer types: the name in network.json and the op behind it. */
import { relu, sigmoid, tanh } from "./activations.ts";
import { batchnorm, scale } from "./affine.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { deconv2d } from "./deconv2d.ts";
import { eltwise } from "./eltwise.ts";
import { fc } from "./fc.ts";
import { lrn } from "./lrn.ts";
import type { Op } from "./op.ts";
import { avgpool, maxpool } from "./pool.ts";
import { crop, dropout, flatten, reshape } from "./shape_ops.ts";
import { softmax } from "./softmax.ts";

/** Every layer type. */
export const ops: Readonly<Record<string, Op>> = {
  avgpool,
  batchnorm,
  concat,
  conv2d,
  crop,
  deconv2d,
  dropout,
  eltwise,
  fc,
  flatten,
  lrn,
  maxpool,
  relu,
  reshape,
  scale,
  sigmoid,
  softmax,
  tanh,
} as Record<string, Op>;
