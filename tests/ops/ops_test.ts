/** Every op, forward and the gradient to each input, over every case of the tables, against float64. */
import { openDevice } from "../../src/gpu/device.ts";
import { allCases } from "../cases/all.ts";
import { checkCase } from "./check_case.ts";

const device = await openDevice();

for (const testCase of allCases) {
  Deno.test(`${testCase.type}: ${testCase.name}`, () => checkCase(device, testCase));
}
