/** Layers that work value by value. */
import { openDevice } from "../../../../src/gpu/device.ts";
import { checkNetwork } from "../../../ops/check_case.ts";
import { map, type Tensor } from "../../../reference/tensor.ts";
import { check, converted, type LayerCase } from "./layer.ts";

const valuewise = (layer: string, f: (x: number) => number, rest: Partial<LayerCase> = {}): LayerCase => ({
  layer,
  expected: (x: Tensor) => map(x, f),
  ...rest,
});

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const above = (least: number) => ({ inputs: (value: number) => least + Math.abs(value) });

/** Powers: their exponent, scale and shift, and what the inputs are. */
const powers: [power: number, scale: number, shift: number, rest?: Partial<LayerCase>][] = [
  [1, 2, -1],
  [2, 0.5, 1],
  [3, -1, 0.5],
  [0, 2, 1],
  [2, 0, 3],
  [-1, 1, 0, above(1)],
  [-3, 0.5, -7],
  [13, 0.2, 0.1],
  [0.5, 1, 9],
  [-1.5, 2, 1, above(0)],
  [2.5, -1, 0, { inputs: (value) => -0.1 - Math.abs(value) }],
  [0.75, 0.5, 6],
  [1.7, 1, 0, above(0.2)],
  [-0.3, 3, 1, above(0)],
  [65, 0.1, 1, { inputs: (value) => Math.abs(value) / 4 }],
];

const cases: LayerCase[] = [
  valuewise('"AbsVal"', Math.abs),
  valuewise('"AbsVal"', Math.abs, { shapes: [[7]] }),
  valuewise('"BNLL"', (x) => Math.log1p(Math.exp(x))),
  valuewise('"BNLL"', (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), { inputs: (value) => 60 * value }),
  valuewise('"BNLL"', (x) => Math.log1p(Math.exp(x)), { inputs: () => 0 }), // where its parts have corners
  valuewise('"Clip" clip_param { min: -0.5 max: 1 }', (x) => Math.min(Math.max(x, -0.5), 1)),
  valuewise('"Exp"', Math.exp),
  valuewise('"Exp" exp_param { base: 2 scale: 0.5 shift: 1 }', (x) => 2 ** (1 + 0.5 * x)),
  valuewise('"Exp" exp_param { base: 0.3 scale: -2 shift: -1.5 }', (x) => 0.3 ** (-1.5 - 2 * x)),
  valuewise('"Exp" exp_param { base: -1 shift: 0.7 }', (x) => Math.exp(0.7 + x)),
  valuewise('"Exp" exp_param { base: 1 scale: 4 }', () => 1),
  valuewise('"HardSwish"', (x) => x * Math.min(Math.max(x + 3, 0), 6) / 6, { inputs: (value) => 4 * value }),
  valuewise('"Mish"', (x) => x * Math.tanh(Math.log1p(Math.exp(x))), { inputs: (value) => 4 * value }),
  valuewise('"Log"', Math.log, above(0.1)),
  valuewise('"Log" log_param { base: 10 scale: 2 shift: 3 }', (x) => Math.log10(2 * x + 3), above(0)),
  valuewise('"Log" log_param { base: 0.5 scale: -1 }', (x) => Math.log2(-x) / -1, {
    inputs: (value) => -0.1 - Math.abs(value),
  }),
  ...powers.map(([power, scale, shift, rest]) =>
    valuewise(
      `"Power" power_param { power: ${power} scale: ${scale} shift: ${shift} }`,
      (x) => (shift + scale * x) ** power,
      rest,
    )
  ),
  valuewise('"ReLU" relu_param { negative_slope: -0.5 }', (x) => x > 0 ? x : -0.5 * x),
  valuewise('"ReLU6"', (x) => Math.min(Math.max(x, 0), 6), { inputs: (value) => 5 * value }),
  valuewise('"ReLU6" relu6_param { negative_slope: 0.1 threshold: 2 }', (x) => Math.min(x > 0 ? x : 0.1 * x, 2), {
    inputs: (value) => 3 * value,
  }),
  valuewise('"SELU"', (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x))),
  valuewise('"SELU" selu_param { alpha: 2 lambda: -1 }', (x) => -(x > 0 ? x : 2 * Math.expm1(x))),
  valuewise('"Swish"', (x) => x * sigmoid(x)),
  valuewise('"Swish" swish_param { beta: -2.5 }', (x) => x * sigmoid(-2.5 * x), { shapes: [[4]] }),
  valuewise('"Threshold"', (x) => Number(x > 0), { blocked: true }),
  valuewise('"Threshold" threshold_param { threshold: -0.25 }', (x) => Number(x > -0.25), { blocked: true }),
];

for (const one of cases) check(one);

const device = await openDevice();

for (
  const one of cases.filter(({ layer, inputs }) => /power: (-1.5|1.7) /.test(layer) || /BNLL/.test(layer) && !inputs)
) {
  // Some layers, each of which rounds; logarithms by a few units in the last place.
  Deno.test(`caffe: ${one.layer} on the device`, () => checkNetwork(device, { ...converted(one), tolerance: 2e-5 }));
}
