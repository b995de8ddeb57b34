/** Runs one case on a device and compares it with float64: what the tests and `deno task doctor` both do. */
import type { Device } from "../../src/gpu/device.ts";
import { Net, type NetOptions } from "../../src/net/net.ts";
import { type Case, caseNetwork, type NetworkCase, outputGradient } from "../cases/case.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import { valueAndGradients } from "../reference/network.ts";
import { count, type Tensor } from "../reference/tensor.ts";

/** @throws Error when the output or the gradient to an input is off by more than the case allows. */
export function checkCase(device: Device, testCase: Case): Promise<void> {
  return checkNetwork(device, caseNetwork(testCase));
}

/** As `checkCase`, for the last layer of a network; `options` says how the net is built. */
export function checkNetwork(device: Device, networkCase: NetworkCase, options: NetOptions = {}): Promise<void> {
  return comparison(networkCase)(device, options);
}

/** How a net is compared: to a tolerance of its own; with the gradient also told as a list of spots, all of them. */
export interface Comparing {
  tolerance?: number;
  listed?: boolean;
}

/** What float64 makes of a network is computed once; then any net can be compared with it. */
export function comparison(
  { network, weights, inputs, tolerance }: NetworkCase,
): (device: Device, options?: NetOptions, how?: Comparing) => Promise<void> {
  const output = network.layers.at(-1)!.name;
  const model = caseModel({ network, weights });
  const slopes = (y: Tensor) => outputGradient(network, y);
  const { y: expected, dy, inputs: gradients } = valueAndGradients(network, weights, inputs, output, slopes);
  return async (device, options = {}, { tolerance: own = tolerance, listed = false } = {}) => {
    for (const [name, dx] of gradients) {
      const [batch] = dx.shape;
      const spots = listed ? count(expected.shape) / batch : undefined;
      const net = await Net.create(device, model, { ...options, batch, gradient: name, spots });
      try {
        const result = await net.backward(caseInputs(inputs), new Float32Array(dy.data));
        assertClose("output", { shape: expected.shape, data: result.output }, expected, own);
        assertClose(`gradient to ${name}`, { shape: dx.shape, data: result.gradient }, dx, own);
      } finally {
        net[Symbol.dispose]();
      }
    }
  };
}
