/**
 * Mordvintsev, Olah and Tyka: Inceptionism: going deeper into neural networks, Google research blog, 2015, and the notebook that came
 * with it: in each of four octaves, 1.4 apart, ten steps of 1.5 levels of the gradient over its mean magnitude, the picture shifted at
 * random by up to 32 pixels around its edges, and kept within 0 to 255. Their target is a whole layer (`--target "norm(LAYER)"`), their
 * start a photograph (`--init`) or noise.
 *
 * Not said there: what becomes of pictures smaller than 224 pixels. There the shift shrinks with them.
 */
import type { Method } from "./method.ts";

/** The method `deepdream2015`. */
export const deepdream2015: Method = {
  help: "Mordvintsev et al., 2015: pixels with jitter and octaves",
  settings: (side) => ({
    prior: "pixels",
    noise: 10,
    rule: "paper",
    iterations: 10,
    lrStart: 1.5,
    lrEnd: 1.5,
    octaves: 4,
    octaveScale: 1.4,
    jitter: Math.min(32, Math.round(side / 7)),
    edges: "wrap",
  }),
};
