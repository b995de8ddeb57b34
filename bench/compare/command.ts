/** `deno task bench compare`: what became faster or slower between two files of a benchmark. */
import { type Command, print } from "../../src/cli/command.ts";
import { decimal } from "../../src/cli/values.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { compare, comparedLines } from "./compare.ts";
import { readSamplesFile } from "./file.ts";

const options = {
  least: { value: "PERCENT", help: "the smallest change that is told (10 where a CPU runs the shaders, 3 elsewhere)" },
} as const;

/** The command. */
export const compareCommand: Command<typeof options> = {
  name: "bench compare",
  summary:
    'Compares two files that bench kernels, bench profile or bench synth wrote with --json, or the page\'s "This GPU": each\n' +
    "kernel's time beside the reference kernel's.\n" +
    "Prints a line for each kernel that became slower or faster by more than its own noise, and exits 1 where there is one:\n" +
    "slower or faster, both are changes. Files that cannot be compared also end in 1, with one sentence on stderr.\n" +
    "Each pass of a file was measured in a process of its own; if some kernels are too noisy, more --passes there help.",
  operands: "BEFORE.json AFTER.json",
  options,
  examples: [["deno task bench compare before.json after.json", "the kernels that changed between the two"]],
  async run(values, files) {
    const least = decimal("--least", values.least, { least: 0, most: 1000 });
    if (files.length !== 2) throw new UserError(`expected two files, BEFORE.json and AFTER.json, got ${files.length}`);
    const [before, after] = [await readSamplesFile(files[0]), await readSamplesFile(files[1])];
    const compared = compare(before, after, least === undefined ? undefined : 1 + least / 100);
    comparedLines(compared).forEach(print);
    return compared.changes.some(({ changed }) => changed) ? 1 : 0;
  },
};
