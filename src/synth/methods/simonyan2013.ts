/**
 * Simonyan, Vedaldi and Zisserman: Deep inside convolutional networks: visualising image classification models and saliency maps,
 * arXiv:1312.6034, section 2: arg max S(I) − λ |I|² over the pixels I less the mean, from the zero image, by back-propagation.
 *
 * Not said there: λ, the step and how many. Here a step is the gradient over its mean magnitude, as the later programs have it, and
 * |I|² is a mean over the pixels, in units of 127.5 levels. Nothing keeps pixels within 0 to 255, as nothing is said of it.
 */
import type { Method } from "./method.ts";

/** The method `simonyan2013`. */
export const simonyan2013: Method = {
  help: "Simonyan et al., 2013: pixels with an L2 norm",
  settings: () => ({ prior: "pixels", noise: 0, clip: "none", rule: "paper", lrStart: 1.5, alphaNorm: 10, alpha: 2 }),
};
