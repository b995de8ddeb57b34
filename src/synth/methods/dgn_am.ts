/**
 * Nguyen, Dosovitskiy, Yosinski, Brox and Clune: Synthesizing the preferred inputs for neurons in neural networks via deep generator
 * networks, NIPS 2016 (arXiv:1605.09304), section 3; the numbers are those of the program that came with it. All of them are this
 * program's defaults, or what suits the classifier.
 *
 * Not said there: nothing that is needed here.
 */
import type { Method } from "./method.ts";

/** The method `dgn-am`. */
export const dgnAm: Method = {
  help: "Nguyen et al., NIPS 2016: through a learned generator",
  settings: () => ({ prior: "learned" }),
};
