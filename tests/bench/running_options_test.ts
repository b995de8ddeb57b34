/** What a benchmark of a plan is asked for: options that exclude each other are refused in a sentence. */
import assert from "node:assert/strict";
import { passesOf } from "../../bench/passes/passes.ts";
import { profileCommand } from "../../bench/profile/command.ts";
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

Deno.test("passes are for a file's samples, but for those that a table has too", () => {
  assert.equal(passesOf({}), 5);
  assert.equal(passesOf({ passes: "7", json: "f" }), 7);
  assert.equal(passesOf({ passes: "1" }, 3), 1);
  const message = "--passes 2 needs the file that keeps the samples: --json FILE";
  assert.throws(() => passesOf({ passes: "2" }), { name: "UserError", message });
  assert.throws(() => passesOf({ passes: "4" }, 3), { message: /^--passes 4 .*; the table alone has at most 3$/ });
});

Deno.test("a roofline is SVG, and is not written under another kind's name", async () => {
  const given = { ...none, force: false, roofline: "roof.png" } as Parameters<typeof profileCommand.run>[0];
  const message = '--roofline draws SVG and expects a name that ends in .svg, got "roof.png"';
  await assert.rejects(profileCommand.run(given, []), { name: "UserError", message });
});
