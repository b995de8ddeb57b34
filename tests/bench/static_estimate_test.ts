/** Estimates of whole dispatches: what bounds them, and what the model refuses to say. */
import assert from "node:assert/strict";
import { chips, peakOf } from "../../bench/static/chips.ts";
import type { Dispatch } from "../../bench/static/compile.ts";
import { findDriver } from "../../bench/static/driver.ts";
import { estimate } from "../../bench/static/estimate.ts";
import type { Compiled } from "../../bench/static/listing.ts";
import { reportLines, reportOf } from "../../bench/static/report.ts";

const chip = chips.navi21;

/** A kernel of so many multiply-adds in a row. */
const chain = (length: number, before = "", after = ""): Compiled => ({
  vectorRegisters: 32,
  scalarRegisters: 128,
  spills: 0,
  scratch: 0,
  shared: 0,
  instructions: length,
  size: [64, 1, 1],
  code: `${before}${"\tv_fmac_f32_e32 v20, v21, v24\n".repeat(length)}${after}\ts_endpgm`,
});

const dispatch = (groups: number, more: Partial<Dispatch> = {}): Dispatch => ({
  label: "kernel",
  kernel: 0,
  grid: [groups, 1, 1],
  flops: 0,
  weights: [],
  ...more,
});

Deno.test("multiply-adds on a full GPU reach its peak, on a quarter of it a quarter", () => {
  const simds = chip.units * chip.simds;
  const full = estimate(dispatch(8 * simds), chain(4000), chip);
  assert.equal(full.bound, "vector");
  assert.ok(full.share! > 0.98 && full.share! <= 1, `${full.share}`);
  assert.equal(full.multiplyAdds, 8 * simds * 64 * 4000);
  const quarter = estimate(dispatch(simds / 4), chain(4000), chip);
  assert.equal(quarter.bound, "few waves");
  assert.ok(Math.abs(quarter.share! - 0.25) < 0.01, `${quarter.share}`);
});

Deno.test("a dispatch is as long as its work at the chip's clock", () => {
  const { us } = estimate(dispatch(1), chain(9000), chip);
  assert.ok(Math.abs(us - 9000 * 2 / chip.ghz / 1e3) < 0.01, `${us}`);
});

Deno.test("packed multiply-adds are half as many of the peak's", () => {
  const packed = { ...chain(4000), code: chain(4000).code.replaceAll("v_fmac_f32_e32", "v_pk_fmac_f16") };
  const { share, multiplyAdds } = estimate(dispatch(8 * chip.units * chip.simds), packed, chip);
  assert.ok(share! > 0.98 && share! <= 1, `${share}`);
  assert.equal(multiplyAdds, 8 * chip.units * chip.simds * 64 * 8000);
});

Deno.test("weights come from memory once", () => {
  const bytes = 64 << 20;
  const { us, bound } = estimate(dispatch(160, { weights: [[1, bytes]] }), chain(10), chip);
  assert.equal(bound, "memory");
  assert.ok(Math.abs(us - bytes / chip.gbs / 1e3) < 0.01);
});

Deno.test("a share above the peak is the model's failure and is not told", () => {
  const groups = 8 * chip.units * chip.simds;
  const declared = 2 * groups * 64 * 4000;
  const { share, doubts } = estimate(dispatch(groups, { multiplyAdds: declared }), chain(4000), chip);
  assert.equal(share, undefined);
  assert.deepEqual(doubts, [
    "its code has 0.50 of the multiply-adds that it declares",
    "the model fails: it comes to 200 % of the peak",
  ]);
});

Deno.test("a loop of unknown length is made as long as the declared multiply-adds need", () => {
  const before = "\tbuffer_load_dword v5, v0, s[8:11], 0 offen\n\tv_readfirstlane_b32 s5, v5\nBB2:\n";
  const kernel = chain(16, `${before}\ts_cmp_eq_i32 s5, 0\n\ts_cbranch_scc1 BB9\n`, "\ts_branch BB2\nBB9:\n");
  const { counted, doubts } = estimate(dispatch(4, { multiplyAdds: 4 * 64 * 16 * 25 }), kernel, chip);
  assert.equal(counted, 4 * 64 * 16 * 25);
  assert.deepEqual(doubts, ["loops of unknown length make 25 trips"]);
  assert.deepEqual(estimate(dispatch(4), kernel, chip).doubts, ["loops of unknown length are taken once"]);
});

Deno.test("occupancy goes by registers, by workgroup memory and by slots", () => {
  const of = (change: Partial<Compiled>) => estimate(dispatch(9999), { ...chain(1), ...change }, chip).occupancy;
  assert.equal(of({ vectorRegisters: 128 }), 4);
  assert.equal(of({ vectorRegisters: 16 }), chip.slots);
  assert.equal(of({ shared: 16384, size: [256, 1, 1] }), 8); // four workgroups of four waves on two SIMDs
});

Deno.test("the table has a line for each kernel, its doubts, and the sums", () => {
  const dispatches = [dispatch(320, { label: "conv1", flops: 2e6 }), dispatch(320, { label: "fc2", multiplyAdds: 1 })];
  const report = reportOf("navi21", chip, { dispatches, kernels: [chain(100)] }, 20);
  const lines = reportLines(report);
  assert.match(lines[0], /^navi21, batch 20 \(RX 6900 XT: 80 compute units, 2\.25 GHz, 512 GB\/s\)$/);
  assert.match(lines[2], /^conv1 +2\.05 M +320 +2\.00 +16 +32 +100 +0\.\d +[\d.]+ % {2}(vector|waiting)$/);
  assert.match(lines[4], /^\* fc2: its code has 2048000\.00 of the multiply-adds that it declares$/);
  assert.match(lines[5], /^2 dispatches, about 0\.00\d+ ms, 0\.0060 ms of it gaps between them$/);
  assert.match(lines[6], /^2\.05 M multiply-adds executed, [\d.]+ % of the peak; 0\.00200 GFLOP asked for, /);
  assert.equal(reportLines(report, "conv").length, 5);
  assert.ok(peakOf(chip) === 23040);
});

Deno.test("elsewhere than on Linux it says so", () => {
  assert.throws(
    () => findDriver("darwin"),
    /^UserError: kernels are compiled with Mesa's RADV, which is for Linux; this is darwin$/,
  );
});
