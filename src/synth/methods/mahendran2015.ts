/**
 * Mahendran and Vedaldi: Understanding deep image representations by inverting them, CVPR 2015 (arXiv:1412.0035), section 3: gradient
 * descent with a momentum of 0.9 on a loss + λ_α |x|_α^α + λ_V V(x), α = 6 and V the total variation with β = 2, x less the mean, from
 * noise. Their loss is the distance to a picture's features; of a unit it is minus the activation, as DGN-AM's authors compare it.
 *
 * Not said there: anything of units. The steps' length and the λ are chosen here: a step is the gradient over its mean magnitude, and
 * both norms are means over the pixels, in units of 127.5 levels (as in the authors' later paper, arXiv:1512.02017). Nothing keeps
 * pixels within 0 to 255 but the norm.
 */
import type { Method } from "./method.ts";

/** The method `mahendran2015`. */
export const mahendran2015: Method = {
  help: "Mahendran and Vedaldi, 2015: pixels with an α-norm and total variation",
  settings: () => ({
    prior: "pixels",
    noise: 10,
    clip: "none",
    rule: "momentum",
    lrStart: 0.5,
    alphaNorm: 10,
    alpha: 6,
    variation: 100,
  }),
};
