/**
 * Yosinski, Clune, Nguyen, Fuchs and Lipson: Understanding neural networks through deep visualization, ICML deep learning workshop
 * 2015 (arXiv:1506.06579), section 3: x ← r(x + η g), r being L2 decay, Gaussian blur, and the removal of pixels of small norm and of
 * small contribution. Of the four sets of numbers in its table this is the third, θ_decay = 0.0001, θ_b_width = 1.0, θ_b_every = 4;
 * the first is `--decay 1 --blur 0.5 --small-norm 50`, the second `--decay 0.7 --blur 0 --small-norm 20`, the fourth
 * `--decay 1 --blur 0.5 --small-contribution 90`. As in its program, pictures start from noise of ten levels around the mean and stay
 * within 0 to 255.
 *
 * Not said there: η. The program has a constant of 1 and 500 steps; here a step is the gradient over its mean magnitude, so that one
 * length does for every network.
 */
import type { Method } from "./method.ts";

/** The method `yosinski2015`. */
export const yosinski2015: Method = {
  help: "Yosinski et al., 2015: pixels with decay and blur",
  settings: () => ({
    prior: "pixels",
    noise: 10,
    rule: "paper",
    lrStart: 3,
    lrEnd: 3,
    decay: 1 - 0.0001,
    blur: 1,
    blurEvery: 4,
  }),
};
