/** The table of methods, in the order of their years. */
import { deepdream2015 } from "./deepdream2015.ts";
import { dgnAm } from "./dgn_am.ts";
import { fft } from "./fft.ts";
import { mahendran2015 } from "./mahendran2015.ts";
import type { Method } from "./method.ts";
import { nguyen2016 } from "./nguyen2016.ts";
import { simonyan2013 } from "./simonyan2013.ts";
import { yosinski2015 } from "./yosinski2015.ts";

/** Every method. */
export const methods = {
  simonyan2013,
  yosinski2015,
  mahendran2015,
  deepdream2015,
  nguyen2016,
  "dgn-am": dgnAm,
  fft,
} as const satisfies Record<string, Method>;

/** The name of a method. */
export type MethodName = keyof typeof methods;

/** The names of all methods. */
export const methodNames: readonly MethodName[] = Object.keys(methods) as MethodName[];
