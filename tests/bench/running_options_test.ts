/** What a benchmark of a plan is asked for: options that exclude each other are refused in a sentence. */
import assert from "node:assert/strict";
import { wantedOf } from "../../bench/running_options.ts";

type Given = Parameters<typeof wantedOf>[0];

const none = { forward: false, replace: [], ways: [] } as unknown as Given;

Deno.test("a search, a model or a known network, and what goes with it", () => {
  assert.deepEqual(wantedOf({ ...none, model: "m", layer: "fc6", batch: "3", weights: "f16" }), {
    wanted: {
      ...{ generator: undefined, classifier: undefined, network: undefined },
      ...{ model: "m", layer: "fc6", forward: false, batch: 3 },
    },
    weights: "f16",
    arithmetic: undefined,
  });
  const cases: [given: Partial<Given>, message: RegExp][] = [
    [{ network: "resnet50", model: "m" }, /^--model and --network exclude each other$/],
    [{ model: "m", generator: "g" }, /^--model and --network take the place of --generator and --classifier$/],
    [{ layer: "fc2" }, /^--layer and --forward go with --model or --network$/],
    [{ forward: true }, /^--layer and --forward go with/],
    [{ batch: "0" }, /^--batch expects a whole number 1 to 100000, got "0"$/],
  ];
  for (const [given, message] of cases) {
    assert.throws(() => wantedOf({ ...none, ...given }), { name: "UserError", message });
  }
});
