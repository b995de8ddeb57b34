/** A profile as a table and as a drawing: shares of the whole that come to it, and numbers that can be read. */
import assert from "node:assert/strict";
import type { Profile } from "../../bench/profile/measure.ts";
import { rooflineSvg } from "../../bench/profile/roofline.ts";
import { profileLines } from "../../bench/profile/table.ts";

const peak = { gflops: 100, gigabytes: 10 };

/** A profile of dispatches that take so many milliseconds each, all of them at nearly the same place of a roofline. */
const profileOf = (wallMs: number, ms: number[], flops = 1e6): Profile => ({
  ...{ title: "a search", method: "timestamps", wallMs, wallSamples: [wallMs] },
  kernels: ms.map((own, n) => ({
    ...{ kernel: `conv${n}`, op: "conv2d", pass: "forward", way: "direct", ms: own, samples: [own] },
    ...{ flops: flops * own, executedFlops: flops * own, bytes: flops * own },
  })),
});

/** Names, milliseconds and shares of the rows. */
const rowsOf = (lines: string[]) =>
  lines.slice(2).flatMap((line) =>
    /^(.+?) {2}.* ([\d.e-]+ +[\d.e-]+ %)/.exec(line)?.slice(1).join(": ").replace(/ +/g, " ") ?? []
  );

Deno.test("shares are of a whole run, or of all dispatches where they take longer one by one; none is above 100 %", () => {
  const less = profileLines(profileOf(10, [6, 3.5]), peak);
  assert.deepEqual(rowsOf(less), [
    "conv0: 6.00 60.0 %",
    "conv1: 3.50 35.0 %",
    "left over: 0.500 5.0 %",
    "a whole run: 10.0 100.0 %",
  ]);
  const more = profileLines(profileOf(10, [12, 0.5]), peak);
  assert.deepEqual(rowsOf(more), [
    "conv0: 12.0 96.0 %",
    "conv1: 0.500 4.0 %",
    "all of these: 12.5 100.0 %",
    "a whole run: 10.0 80.0 %",
  ]);
  assert.match(more.at(-1)!, /^all dispatches take 1\.25 times as long as a whole run: the machine was busy, or /);
  assert.match(rooflineSvg(profileOf(10, [12, 0.5]), peak, "it"), /conv2d, 100\.0 % of the run/);
});

Deno.test("a roofline's numbers do not lie on one another, and no dot lies on the frame", () => {
  const svg = rooflineSvg(profileOf(10, Array.from({ length: 14 }, () => 0.7)), { gflops: 1, gigabytes: 1 }, "it");
  const places = [...svg.matchAll(/x="([\d.]+)" y="([\d.]+)" text-anchor="middle" font-size="10"/g)].map((
    [, x, y],
  ) => [+x, +y]);
  assert.equal(places.length, 14);
  for (const [n, [x, y]] of places.entries()) {
    for (const [left, top] of places.slice(0, n)) {
      assert.ok(Math.abs(left - x) > 13.5 || Math.abs(top - y) > 10.5, `${[x, y]} and ${[left, top]}`);
    }
  }
  const [, cx, cy] = /<circle cx="([\d.]+)" cy="([\d.]+)"/.exec(svg)!;
  assert.ok(Number(cx) > 84 + 18 && Number(cy) < 680 - 64 - 18, `${cx}, ${cy}`);
});
