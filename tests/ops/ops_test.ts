/** Every op, forward and the gradient to each input, over every case of the tables, against float64. */
import { openDevice } from "../../src/gpu/device.ts";
import { Net } from "../../src/net/net.ts";
import { allCases } from "../cases/all.ts";
import { caseNetwork, outputGradient } from "../cases/case.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import { gradient, runNetwork } from "../reference/network.ts";

const device = await openDevice();

for (const testCase of allCases) {
  Deno.test(`${testCase.type}: ${testCase.name}`, async () => {
    const { network, weights, inputs, tolerance } = caseNetwork(testCase);
    const expected = runNetwork(network, weights, inputs).get("layer")!, dy = outputGradient(network, expected);
    const gradients = gradient(network, weights, inputs, "layer", dy);
    for (const [name, dx] of gradients) {
      using net = await Net.create(device, caseModel({ network, weights }), { batch: dx.shape[0], gradient: name });
      const result = await net.backward(caseInputs(inputs), Float32Array.from(dy.data));
      assertClose("output", { shape: expected.shape, data: result.output }, expected, tolerance);
      assertClose(`gradient to ${name}`, { shape: dx.shape, data: result.gradient }, dx, tolerance);
    }
  });
}
