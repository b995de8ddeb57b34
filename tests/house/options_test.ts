/** Every command, subcommand and option is typed by a test, and every command line of the documentation can be. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Option } from "../../src/cli/command.ts";
import { allCommands, called, optionsIn, root, tasks, type TypedCommand } from "./commands.ts";
import { documentedLines, documents, faultOf, looseOptions } from "./documents.ts";
import { typedLines } from "./typed_lines.ts";

const commands = await allCommands();

/** The lines that the tests of the command line type. */
const typed = ["tests/cli", "tests/tools/get"].flatMap((folder) =>
  [...Deno.readDirSync(join(root, folder))].filter(({ name }) => name.endsWith("_test.ts"))
    .flatMap(({ name }) => typedLines(Deno.readTextFileSync(join(root, folder, name)), name))
);

/** The lines of the documentation, and of the commands' own examples. */
const documented = [
  ...documents().map(({ file, text }) => ({ where: file, text })),
  ...commands.map(({ words, command }) => ({
    where: `${words.join(" ")} --help`,
    text: command.examples.map(([example]) => `\`${example}\``).join("\n"),
  })),
].flatMap(({ where, text }) => documentedLines(text).map((line) => ({ where, line })));

/** The words that `operands` offers to choose from, such as "[synth|kernels]". */
const choices = ({ operands = "" }: { operands?: string }) =>
  /^\[(\w+(?:\|\w+)+)\]$/.exec(operands)?.[1].split("|") ?? [];

/** What of the commands no line types: "synth --unit", "bench kernels" or the name of a command. */
function untyped(commands: readonly TypedCommand[], lines: readonly string[][]): string[] {
  return commands.flatMap(({ words, command }) => {
    const mine = lines.flatMap((line) => {
      const call = called(commands, line);
      return call?.command === command ? [call.args] : [];
    });
    const given = new Set(mine.flatMap(optionsIn));
    const first = new Set(mine.map(([operand]) => operand));
    const name = words.join(" ");
    return [
      ...mine.length === 0 ? [name] : [],
      ...[...Object.keys(command.options), "help"].filter((option) => !given.has(option)).map((o) => `${name} --${o}`),
      ...choices(command).filter((choice) => !first.has(choice)).map((choice) => `${name} ${choice}`),
    ];
  });
}

Deno.test("every command, every subcommand and every option is typed by a test", () => {
  assert.ok(commands.length > 5 && typed.length > 50);
  assert.deepEqual(untyped(commands, typed), []);
});

Deno.test("the documentation's command lines and the examples of --help exist", () => {
  assert.ok(documented.length > 40);
  assert.deepEqual(documented.flatMap(({ where, line }) => faultOf(line, commands, tasks, where)), []);
});

Deno.test("a test types every documented command line, with all of its options", () => {
  const missing = documented.filter(({ line }) => {
    const wanted = called(commands, line);
    return wanted && !typed.some((each) => {
      const given = called(commands, each);
      const options = optionsIn(given?.args ?? []);
      return given?.command === wanted.command && optionsIn(wanted.args).every((option) => options.includes(option));
    });
  });
  assert.deepEqual(missing.map(({ where, line }) => `${where}: ${line.join(" ")}`), []);
});

Deno.test("options that the documentation names by themselves exist", () => {
  const known = new Set(["help", ...commands.flatMap(({ command }) => Object.keys(command.options))]);
  const wrong = documents().flatMap(({ file, text }) =>
    looseOptions(text).filter((option) => !known.has(option)).map((option) => `${file}: --${option}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("what no test types is found", () => {
  const options: Record<string, Option> = { loud: { help: "" }, size: { value: "N", help: "" } };
  const command = { name: "shout", summary: "", operands: "[once|twice]", options, examples: [], run: async () => {} };
  const find = (source: string) =>
    untyped([{ words: ["shout"], command }], typedLines(`import { type } from "./user.ts";\n${source}`));
  const all = ["shout", "shout --loud", "shout --size", "shout --help", "shout once", "shout twice"];
  assert.deepEqual(find(""), all);
  // Neither comments nor other strings nor other functions type anything.
  assert.deepEqual(
    find(`// type(["shout", "once", "--loud"]);\nconst line = '["shout", "--loud"]'; print(["shout", "--loud"]);`),
    all,
  );
  assert.deepEqual(find(`Deno.test.ignore("later", () => type(["shout", "once", "--loud"]));`), all);
  assert.deepEqual(find(`const type2 = type; type(["whisper", "--loud"]);`), all);
  assert.deepEqual(find(`type(["shout", "once", "--loud", "--help"]); type(["shout", "twice"]);`), ["shout --size"]);
  // Through variables, properties and functions of the file, each with its own words.
  assert.deepEqual(
    find(`
      function given() {
        const size = ["--size", path];
        return { size, shout: (more: string[], ...last: string[]) => type(["shout", ...more, ...last]) };
      }
      Deno.test("a", async () => {
        using run = given();
        const refused = async (message: RegExp, args: string[]) => (await run.shout(args, "--help")).code;
        await refused(/x/, ["once", ...run.size]);
      });
      function other(args: string[]) { return args; }
      other(["--loud"]);
    `),
    ["shout --loud", "shout twice"],
  );
  // A name means what it means where it is used.
  assert.deepEqual(
    find(`
      const args = ["--loud"];
      { const args = ["--size=3"]; type(["shout", "once", ...args]); }
      for (const args of cases) type(["shout", "twice", ...args]);
    `),
    ["shout --loud", "shout --help"],
  );
});

Deno.test("what rots in the documentation is found", () => {
  const fault = (text: string) => documentedLines(text).flatMap((words) => faultOf(words, commands, tasks, "x.md"));
  assert.deepEqual(fault("```\nnpx -y deno task synth --unit 945\n```\n| `deno task bundle` | `--nothing` |"), []);
  assert.deepEqual(fault("`deno task sing --unit 1`"), [
    'x.md: deno task sing --unit 1: there is no task "sing"',
  ]);
  assert.match(fault("run `deno task synth --unti 945`").join(), /^x\.md: .*: there is no option --unti;/);
  assert.match(fault("```\ndeno task units --search\n```").join(), /--search needs a value/);
  assert.match(fault("| `deno task infer --fast` | quick, `--slow` not |").join(), /no option --slow/);
  assert.match(fault("```\ndeno task convert mxnet --out x\n```").join(), /expected convert caffe, convert onnx or/);
  assert.deepEqual(looseOptions("`--bounds FILE` and ```\n--no\n``` `a --b`"), ["bounds"]);
});
