/**
 * Compensated sums in the layers that have them, value by value: what the tests and `deno task doctor` both do, for an
 * adapter's compiler could undo them.
 */
import assert from "node:assert/strict";
import type { Device } from "../../src/gpu/device.ts";
import { Net, type NetOptions } from "../../src/net/net.ts";
import { allCases } from "../cases/all.ts";
import { type Case, caseNetwork, type NetworkCase } from "../cases/case.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { runNetwork } from "../reference/network.ts";
import { count } from "../reference/tensor.ts";

/** The types of layers whose sums can be compensated. */
export const compensatedTypes = ["conv2d", "deconv2d", "fc"];

/** The small cases of those layers. */
export const compensatedCases = allCases.filter(({ type, inputs, name }) =>
  compensatedTypes.includes(type) && count(inputs[0]) < 6000 && !/products|4096|70,0/.test(name)
);

/** What the only layer of a network gives on a device, and in float64. */
export async function layerValues(device: Device, { network, weights, inputs }: NetworkCase, options: NetOptions) {
  const expected = runNetwork(network, weights, inputs).get("layer")!, model = caseModel({ network, weights });
  using net = await Net.create(device, model, { ...options, batch: expected.shape[0] });
  return { actual: await net.forward(caseInputs(inputs)), expected: expected.data };
}

/** One rounding of the value, and one of the bias (at most a half) before it is added. */
const rounding = (value: number): number => 2 ** -23 * Math.abs(value) + 2 ** -25;

/** @throws AssertionError when a value is not the exact one rounded. */
export async function checkCompensated(device: Device, testCase: Case): Promise<void> {
  const { actual, expected } = await layerValues(device, caseNetwork(testCase), { compensated: true });
  assert.equal(actual.length, expected.length);
  const wrong = expected.findIndex((value, n) => !(Math.abs(actual[n] - value) <= rounding(value)));
  assert.equal(wrong, -1, `compensated: value ${wrong} is ${actual[wrong]}, expected ${expected[wrong]} rounded`);
}
