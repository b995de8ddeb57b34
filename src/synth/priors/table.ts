/**
 * The priors of a code, in the order in which they hold: WGSL statements on `code` after a step. Priors of the picture are terms
 * of the target, with a negative weight (`- 0.001*variation(data)`).
 *
 * The paper's program bounds a code and then lets it decay. Methods on pixels shrink, blur and thin them, and bound what comes out:
 * those that are `last` follow whatever else is done to a code.
 */
import type { Prior } from "../images/image.ts";
import { bothBounds, bounds } from "./bounds.ts";
import { decay } from "./decay.ts";

/** The statements of a step. */
export interface CodePriors {
  step: readonly string[];
  last: readonly string[];
}

/** The priors of codes of so many texels; `both` says that bounds are upper and lower ones. */
export function codePriors(prior: Prior, texels: number, both: boolean): CodePriors {
  const within = both ? bothBounds(texels) : bounds;
  return { step: prior === "learned" ? [within, decay] : [decay], last: [within] };
}
