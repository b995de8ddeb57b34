/**
 * A kernel never declares fewer multiply-adds than it executes, and not many more, for estimates and shares of peaks rest on
 * it; and the workgroup memory that it has.
 */
import assert from "node:assert/strict";
import { ownsWorkgroup } from "../../src/gpu/call.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { chooseCheapest, type Question } from "../../src/net/choose.ts";
import { Net } from "../../src/net/net.ts";
import { describe } from "../../src/ops/way.ts";
import { caseNetwork } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseModel } from "../net/case_model.ts";
import { smallWayCases } from "./check_ways.ts";
import { executedMultiplyAdds } from "./executed.ts";

const device = await openDevice();
// What plans would run is only read here: it is compiled with its tallies, and not without.
device.gpu.createComputePipelineAsync = () => Promise.resolve({} as GPUComputePipeline);
const gpu = pretend(device, { software: false }, "buffer");
const types = ["conv2d", "deconv2d", "fc"];
// A third of them: a count needs kernels of its own, which take long to compile.
const small = smallWayCases.filter(({ type }) => types.includes(type)).filter((_, n) => n % 3 === 0);

/**
 * Declared multiply-adds over executed ones, at most. They are the same but where groups do not fall on blocks of four
 * channels: there, each lane passes by the blocks that it has no part in, and all are declared.
 */
const MOST = 2;

/** Bytes of the arrays of vec4f and vec4<f16>, nested ones too, that a kernel's WGSL has in workgroup memory; lengths are products of constants. */
function workgroupBytes(code: string): number {
  const constants = new Map([...code.matchAll(/^const (\w+) = (\d+)u;/gm)].map(([, name, value]) => [name, value]));
  const arrays = [...code.matchAll(/^var<workgroup> \w+: (?:array<)+(vec4f|vec4<f16>)((?:, [\w *]+>)+);/gm)];
  assert.equal(arrays.length, code.split("var<workgroup>").length - 1);
  const factors = (lengths: string) => lengths.split(/[>,*]/).map((factor) => factor.trim()).filter((factor) => factor);
  return arrays.reduce(
    (sum, [, type, lengths]) =>
      sum +
      factors(lengths).reduce(
        (all, factor) => all * Number(constants.get(factor) ?? factor),
        type === "vec4f" ? 16 : 8,
      ),
    0,
  );
}

small.forEach((testCase, turn) => {
  Deno.test(`executed multiply-adds: ${testCase.type}: ${testCase.name}`, async () => {
    // Over the cases, both kinds of adapters and every way and size have their turn.
    const adapter = turn % 2 === 0 ? device : gpu;
    const ways: string[] = [];
    const choose = (question: Question) => {
      const { candidates } = question;
      const own = turn % 4 < 2 ? chooseCheapest(question) : candidates[turn * 7 % candidates.length];
      ways.push(describe(own));
      return own;
    };
    const { network, weights } = caseNetwork(testCase);
    const [batch] = testCase.inputs[0];
    const arithmetic = turn % 3 === 2 && device.caps.features.includes("shader-f16") ? "f16" as const : "f32" as const;
    const options = { batch, gradient: network.inputs[0].name, choose, arithmetic };
    using net = await Net.create(adapter, caseModel({ network, weights }), options);
    for (const { call } of net.plan.steps) {
      if (ownsWorkgroup(call)) assert.equal(call.workgroupBytes, workgroupBytes(call.code), call.label);
      const executed = await executedMultiplyAdds(adapter, call);
      const { multiplyAdds = 0, label } = call;
      const said = `${label} (${ways.join("; ")}) executes ${executed} multiply-adds and declares ${multiplyAdds}`;
      assert.ok(executed <= multiplyAdds, said);
      // Winograd's transforms are written without fma, and declare what compilers make of them.
      assert.ok(executed === 0 || multiplyAdds <= MOST * executed, said);
    }
  });
});
