/**
 * The priors of a code, in the order in which they hold: WGSL statements on `code` after a step. Priors of the picture are terms
 * of the target, with a negative weight (`- 0.001*variation(data)`).
 */
import { bounds } from "./bounds.ts";
import { decay } from "./decay.ts";

/** Every prior. */
export const priors: readonly string[] = [bounds, decay];
