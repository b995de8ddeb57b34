/** The names of a plan's dispatches: no two are the same. */
import assert from "node:assert/strict";
import type { Call } from "../../src/gpu/call.ts";
import type { OwnedCall, PlannedLayer } from "../../src/net/backward.ts";
import { nameKernels } from "../../src/net/kernels.ts";

const planned = (name: string) => {
  const way = (name: string) => ({ way: { name }, sizes: {} });
  return { layer: { name }, ways: { forward: way("there"), backward: way("back") } } as unknown as PlannedLayer;
};

const call = (label: string, owner?: PlannedLayer): OwnedCall => ({ call: { label } as Call, owner });

Deno.test("kernels are called by layer and pass, by numbers where there are several, and by what they do", () => {
  const [first, second, namesake] = [planned("conv1"), planned("conv2"), planned("conv1")];
  const calls = [
    ...[call("a", first), call("tiles in", second), call("products", second), call("b", namesake)],
    ...[call("objective"), call("c", second), call("sum at pool"), call("sum at pool"), call("d", first)],
  ];
  const kernels = nameKernels(calls, 4);
  assert.deepEqual(
    kernels.map(({ name }) => name),
    [
      ...["conv1.1", "conv2.1", "conv2.2", "conv1.2"],
      ...["objective", "conv2.gradient", "sum at pool.1", "sum at pool.2", "conv1.gradient"],
    ],
  );
  assert.deepEqual(kernels.map(({ way, pass }) => [way, pass]), [
    ...Array.from({ length: 4 }, () => ["there", "forward"]),
    ...[[undefined, "backward"], ["back", "backward"], [undefined, "backward"], [undefined, "backward"]],
    ["back", "backward"],
  ]);
});
