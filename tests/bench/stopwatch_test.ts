/** What a turn takes, less what surrounds it. */
import assert from "node:assert/strict";
import { stepsTurn, stopwatchFor } from "../../bench/stopwatch.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { pretend } from "../gpu/pretend.ts";

Deno.test("a short turn on a busy machine takes longer than nothing does", async () => {
  using real = await openDevice();
  const device = pretend(real, { software: false, timestamps: false });
  const waits = [40, 40, 40, 40, 40, 40, 40, 40, 0];
  device.finish = () => new Promise((resolve) => setTimeout(resolve, waits.shift() ?? 20));
  using stopwatch = await stopwatchFor(device);
  const [{ ms }] = await stopwatch.time([stepsTurn(device, [], 1)]);
  assert.ok(ms > 10, `${ms}`);
});
