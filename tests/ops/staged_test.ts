/** Convolutions that stage tiles in workgroup memory, in tiles that differ from case to case: each has a sixth of them. */
import { openDevice } from "../../src/gpu/device.ts";
import type { Question } from "../../src/net/choose.ts";
import { cheapest, describe, formOf } from "../../src/ops/way.ts";
import { caseNetwork } from "../cases/case.ts";
import type { Case } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { checkNetwork } from "./check_case.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false, maxWorkgroupBytes: 1 << 16 }, "buffer");

/** Strides that phases share or not, taps that a phase lacks, groups, and more channels than a tile, or positions. */
const cases: Case[] = [
  {
    type: "deconv2d",
    name: "3 channels at stride 4, a kernel of 7",
    inputs: [[2, 20, 5, 7]],
    params: { channels: 3, kernel: 7, stride: 4, padding: 2 },
    tolerance: 1e-5,
  },
  {
    type: "conv2d",
    name: "groups at stride 2 and 3, odd padding",
    inputs: [[1, 16, 11, 9]],
    params: { channels: 24, kernel: [3, 5], stride: [2, 3], padding: [1, 0, 2, 3], groups: 2 },
    tolerance: 1e-5,
  },
];

cases.forEach((testCase, sixth) => {
  Deno.test(`staged, in many tiles: ${testCase.type}: ${testCase.name}`, async () => {
    const network = { ...caseNetwork(testCase), tolerance: testCase.tolerance };
    let turn = sixth;
    for (let left = turn + 1; turn < left; turn += 6) {
      const ways: string[] = [];
      const choose = ({ pass, candidates }: Question) => {
        const own = candidates.filter(({ way }) => way.name === "staged");
        left = Math.max(left, own.length);
        const chosen = own.length > 0 ? own[turn % own.length] : cheapest(candidates);
        ways.push(`${pass} ${describe(chosen)} ${formOf(chosen.way)}`);
        return chosen;
      };
      await checkNetwork(gpu, network, { choose }).catch((error) => {
        throw new Error(`${ways.join(", ")}: ${error.message}`, { cause: error });
      });
    }
  });
});
