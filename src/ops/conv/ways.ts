/** The registry: every way to run a convolution, for conv2d, deconv2d, fc and the matrices of lstm. Of equals the first is taken. */
import { direct, doubleFloat, transposed } from "./register_tiles.ts";
import { spots } from "./spots.ts";
import { staged } from "./staged.ts";
import { subgroups } from "./subgroups.ts";
import { vectors } from "./vectors.ts";
import { type ConvWay, inHalves } from "./way.ts";
import { winograd } from "./winograd.ts";
import { workgroups } from "./workgroups.ts";

/** All ways. */
export const convWays: readonly ConvWay[] = [
  direct,
  transposed,
  doubleFloat,
  winograd,
  workgroups,
  subgroups,
  spots,
  staged,
  vectors,
  ...[direct, transposed, workgroups, staged].map(inHalves),
];
