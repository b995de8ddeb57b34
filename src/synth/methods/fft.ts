/**
 * Olah, Mordvintsev and Schubert: Feature visualization, Distill 2017, with the numbers of its program, Lucid: Fourier coefficients of
 * decorrelated colours, Adam with 0.05, and pictures seen shifted, a tenth larger or smaller and turned by up to ten degrees.
 *
 * Not said there, or done otherwise: Lucid shifts pictures of 128 pixels by up to 8, turns and scales them, and shifts by up to 4 again,
 * with a grey margin; here the sum of the shifts shrinks and grows with the picture, and the margin is the classifier's mean. Lucid
 * takes 512 steps; here they are half as many, and become shorter.
 */
import type { Method } from "./method.ts";

/** The method `fft`. */
export const fft: Method = {
  help: "Olah et al., 2017: Fourier coefficients, seen in many ways",
  settings: (side) => ({
    prior: "fourier",
    rule: "adam",
    iterations: 256,
    lrStart: 0.05,
    jitter: Math.max(1, Math.round(side * 12 / 128)),
    zoom: 0.1,
    rotation: 10,
  }),
};
