/**
 * Nguyen, Yosinski and Clune: Multifaceted feature visualization, ICML visualization workshop 2016 (arXiv:1602.03616): from a mean
 * image, steps of the gradient over its mean magnitude, from long ones to short ones, with total variation and a bias to the centre;
 * pixels stay within 0 to 255. Its mean images are those of clusters of the unit's training pictures, for which `--init` stands; here
 * it is that of the network.
 *
 * Not said there, or done otherwise: its program denoises by total variation after each step (split Bregman, weights that grow) and
 * limits the last steps' gradient to a window; here both are costs of the picture, with gradients of their own. It enlarges the
 * picture by 1.2 twice on the way and climbs random cuts of it; here it keeps its size.
 */
import type { Method } from "./method.ts";

/** The method `nguyen2016`. */
export const nguyen2016: Method = {
  help: "Nguyen et al., 2016 (multifaceted): pixels from a mean image, with total variation and a bias to the centre",
  settings: () => ({ prior: "pixels", noise: 0, rule: "paper", lrStart: 11, lrEnd: 1, variation: 100, centre: 10 }),
};
