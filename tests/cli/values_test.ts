import assert from "node:assert/strict";
import { UserError } from "../../src/formats/user_error.ts";
import { helpText, parse } from "../../src/cli/command.ts";
import { decimal, numberList, oneOf, position, wholeNumber } from "../../src/cli/values.ts";

const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error) => error instanceof UserError && message.test(error.message));

Deno.test("lists of numbers", () => {
  assert.deepEqual(numberList("--units", "1,5-9"), [1, 5, 6, 7, 8, 9]);
  assert.deepEqual(numberList("--units", "7"), [7]);
  assert.deepEqual(numberList("--units", "9,0-1"), [9, 0, 1]);
  assert.equal(numberList("--units", "0-9999").length, 10_000);
  for (const text of ["", ",", "1,", "a", "-3", "5-3", "1.5", "1-2-3", " 1"]) {
    refused(() => numberList("--units", text), /--units expects numbers like 7 or 1,5-9, got/);
  }
  refused(() => numberList("--units", "1,2-4,3"), /lists 3 twice/);
  refused(() => numberList("--units", "0-10000"), /more than 10000/);
  refused(() => numberList("--units", "0-999999999999"), /more than 10000/);
  refused(() => numberList("--seeds", "4294967296", 2 ** 32 - 1), /up to 4294967295/);
});

Deno.test("numbers, positions and words", () => {
  assert.equal(wholeNumber("--unit", "945", { fallback: 0 }), 945);
  assert.equal(wholeNumber("--unit", undefined, { fallback: 3 }), 3);
  for (const text of ["-1", "1.5", "1e3", "", "pepper", "99999999999999999999"]) {
    refused(() => wholeNumber("--unit", text, { fallback: 0 }), /--unit expects a whole number from 0, got/);
  }
  refused(() => wholeNumber("--scale", "33", { least: 1, most: 32, fallback: 1 }), /1 to 32, got "33"/);
  assert.equal(decimal("--lr-end", "1e-10", { least: 0 }), 1e-10);
  assert.equal(decimal("--lr-end", undefined, { least: 0 }), undefined);
  for (const text of ["", "x", "NaN", "Infinity", "-1"]) {
    refused(() => decimal("--lr-end", text, { least: 0 }), /--lr-end expects a number of at least 0, got/);
  }
  refused(() => decimal("--decay", "1.1", { least: 0, most: 1 }), /from 0 to 1/);
  assert.deepEqual(position("--xy", "3,5"), [3, 5]);
  for (const text of ["3", "3,", "3,5,7", "-1,2", "a,b"]) refused(() => position("--xy", text), /like 3,5/);
  assert.equal(oneOf("--rule", "adam", ["paper", "adam"]), "adam");
  refused(() => oneOf("--rule", "sgd", ["paper", "adam"]), /--rule expects paper or adam, got "sgd"/);
});

const command = {
  name: "sample",
  summary: "Does nothing.",
  options: { unit: { value: "N", alias: "neuron", help: "the unit" }, force: { help: "overwrites" } },
  examples: [["deno task sample", "nothing"]] as [string, string][],
  run: async () => {},
};

Deno.test("arguments are options and operands, or refused in one sentence", () => {
  assert.deepEqual({ ...parse(command, ["--unit", "5"]).values }, { unit: "5", force: false, help: false });
  assert.deepEqual({ ...parse(command, ["--force", "--unit=-5"]).values }, { unit: "-5", force: true, help: false });
  assert.deepEqual(parse({ ...command, operands: "FILE…" }, ["a", "--force", "--", "--b"]).operands, ["a", "--b"]);
  assert.equal(parse(command, ["--neuron", "5"]).values.unit, "5");
  refused(() => parse(command, ["--neuron", "1", "--unit", "2"]), /--unit is given twice/);
  refused(() => parse(command, ["--neuron"]), /--neuron needs a value: --neuron N/);
  refused(() => parse(command, ["--uint", "1"]), /no option --uint; is --unit meant\? --help lists/);
  refused(() => parse(command, ["--foo"]), /no option --foo; --help/);
  refused(() => parse(command, ["-x"]), /no option -x; --help/);
  refused(() => parse(command, ["--toString"]), /no option --toString/);
  refused(() => parse(command, ["--unit"]), /--unit needs a value: --unit N/);
  refused(() => parse(command, ["--unit="]), /--unit needs a value/);
  refused(() => parse(command, ["--unit", "--force"]), /--unit needs a value/);
  refused(() => parse(command, ["--force=yes"]), /--force takes no value, got "yes"/);
  refused(() => parse(command, ["--unit", "1", "--unit", "2"]), /--unit is given twice/);
  refused(() => parse(command, ["pepper"]), /"pepper" belongs to no option/);
});

Deno.test("help names every option and example", () => {
  const text = helpText(command);
  for (const part of ["deno task sample", "--unit, --neuron N", "--force", "--help", "nothing"]) {
    assert.ok(text.includes(part), part);
  }
});
