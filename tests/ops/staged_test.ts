/** Convolutions that stage tiles in workgroup memory, in tiles that differ from case to case: each has a sixth of them. */
import assert from "node:assert/strict";
import type { ConvGeometry } from "../../shaders/conv/shape.ts";
import { stagedShape, type StagedTile } from "../../shaders/conv/staged_shape.ts";
import { openDevice } from "../../src/gpu/device.ts";
import type { Question } from "../../src/net/choose.ts";
import { staged } from "../../src/ops/conv/staged.ts";
import type { ConvTask } from "../../src/ops/conv/way.ts";
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

Deno.test("a large batch gets more workgroups than the largest tile makes, where those would leave a third of an H100 idle", () => {
  const geometry: ConvGeometry = {
    batch: 64,
    ...{ channelsIn: 384, channelsOut: 256, groups: 2 },
    ...{ inSize: [13, 13], outSize: [13, 13] },
    ...{ kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [1, 1] },
  };
  const direct: ConvTask = {
    ...{ adapter: gpu, geometry, direction: "direct", format: "f32" },
    ...{ anyForm: false, doubleFloat: false, arithmetic: "f32" },
  };
  const groupsOf = (task: ConvTask) => {
    const candidates = staged.sizes(task).map((sizes) => ({ sizes, cost: staged.cost(task, sizes) }));
    const { sizes } = cheapest(candidates);
    const tile = sizes as unknown as StagedTile;
    const { grid } = stagedShape({ ...task, bias: false, half: false, staged: tile });
    return grid[0] * grid[1] * grid[2];
  };
  assert.ok(groupsOf(direct) > 2 * 170); // conv5 of CaffeNet: 170 tiles of 128 × 128 for 132 cores
  assert.equal(groupsOf({ ...direct, geometry: { ...geometry, batch: 640 } }), 1690); // which are what a larger one gets
});
