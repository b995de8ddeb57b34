/** The table of objectives: the name in a target and what it is. */
import { mean, sum } from "./area.ts";
import { centre } from "./centre.ts";
import { cosine, dot } from "./direction.ts";
import { diversity } from "./diversity.ts";
import { max } from "./maximum.ts";
import { norm } from "./norm.ts";
import type { Objective } from "./objective.ts";
import { power } from "./power.ts";
import { logprob, prob } from "./probability.ts";
import { unit } from "./unit.ts";
import { variation } from "./variation.ts";

/** The name of a kind. */
export type Kind =
  | "unit"
  | "mean"
  | "sum"
  | "max"
  | "norm"
  | "dot"
  | "cosine"
  | "prob"
  | "logprob"
  | "diversity"
  | "variation"
  | "power"
  | "centre";

/** Every kind of term, `unit` first: it alone is written without its name. */
export const objectives: Readonly<Record<Kind, Objective>> = {
  unit,
  mean,
  sum,
  max,
  norm,
  dot,
  cosine,
  prob,
  logprob,
  diversity,
  variation,
  power,
  centre,
};

/** The names of all kinds. */
export const kinds: readonly Kind[] = Object.keys(objectives) as Kind[];
