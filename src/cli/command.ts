/**
 * A command line program: its options in one table, which the parser and `--help` both read, and its one way out.
 *
 *     0    done
 *     1    bad input or a failing device: one sentence on stderr
 *     129, 130, 143  stopped by a closed terminal, Ctrl-C or `kill`, after what there was has been saved
 */
import { sep } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../formats/user_error.ts";
import { GpuError } from "../mod.ts";
import { reasonOf } from "./files.ts";
import { hearToTheEnd, lastStopCode } from "./interrupt.ts";
import { nearest } from "./nearest.ts";
import { print, tell } from "./print.ts";
export { print, printJson, tell, warn } from "./print.ts";

/** An option: a flag, or one that takes a value when `value` gives the value's placeholder. */
export interface Option {
  value?: string;
  /** With `value`: it may be given several times. */
  repeats?: boolean;
  /** Another name of it. */
  alias?: string;
  help: string;
}

/** The values given: text for options that take one, a list for those that repeat, true or false for flags. */
export type Values<Options> = {
  [Name in keyof Options]: Options[Name] extends { repeats: boolean } ? string[]
    : Options[Name] extends { value: string } ? string | undefined
    : boolean;
};

/** A command; `operands` names what follows the options, where anything may. */
export interface Command<Options extends Record<string, Option>> {
  name: string;
  summary: string;
  operands?: string;
  options: Options;
  examples: [command: string, effect: string][];
  /** What is to be said of an option that it lacks and other commands have, behind its name. */
  lacks?(name: string): string | undefined;
  /** Runs it. The number is the exit code, 0 where none is returned. */
  run(values: Values<Options>, operands: string[]): Promise<number | void>;
}

const help = { help: { help: "shows this text" } };

/** Runs a command on its arguments, the program's unless given, and exits. */
export async function main<Options extends Record<string, Option>>(
  command: Command<Options>,
  args: string[] = Deno.args,
): Promise<never> {
  try {
    const { values, operands } = parse(command, args);
    if (values.help) {
      helpText(command).split("\n").forEach(print);
      Deno.exit(0);
    }
    goWhereTyped();
    hearToTheEnd();
    const code = await command.run(values, operands) ?? 0;
    Deno.exit(code || await lastStopCode());
  } catch (error) {
    `${command.name}: ${sentence(error)}`.split("\n").forEach(tell);
    Deno.exit(1);
  }
}

/** The value of an option that must be given. */
export function required(option: string, value: string | undefined): string {
  if (value === undefined) throw new UserError(`${option} is missing; --help has examples`);
  return value;
}

/** The text of `--help`. */
export function helpText<Options extends Record<string, Option>>(command: Command<Options>): string {
  const left = Object.entries<Option>({ ...command.options, ...help }).map(([name, { value, alias, help }]) => {
    const names = [name, ...alias ? [alias] : []].map((name) => `--${name}`).join(", ");
    return [value ? `${names} ${value}` : names, help] as const;
  });
  const width = Math.max(...left.map(([name]) => name.length));
  return [
    `deno task ${command.name} [options]${command.operands ? ` ${command.operands}` : ""}`,
    "",
    command.summary,
    "",
    "Options:",
    ...left.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
    "",
    "Examples:",
    ...command.examples.flatMap(([example, effect]) => [`  ${example}`, `      ${effect}`]),
  ].join("\n");
}

/** Sorts arguments into options and operands. Throws UserError in one sentence that names the option. */
export function parse<Options extends Record<string, Option>>(
  command: Command<Options>,
  args: string[],
): { values: Values<Options> & { help: boolean }; operands: string[] } {
  const options: Record<string, Option> = { ...command.options, ...help };
  const aliases = new Map(Object.entries(options).flatMap(([name, { alias }]) => alias ? [[alias, name]] : []));
  const { tokens } = parseArgs({
    args,
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      [...Object.keys(options), ...aliases.keys()].map((name) => [
        name,
        { type: options[aliases.get(name) ?? name].value ? "string" : "boolean" },
      ]),
    ),
  });
  const fail = (message: string) => new UserError(`${message}; --help lists the options`);
  const values: Record<string, string | string[] | boolean | undefined> = {};
  for (const [name, { value, repeats }] of Object.entries(options)) {
    values[name] = repeats ? [] : value ? undefined : false;
  }
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const { rawName, value } = token;
    const name = aliases.get(token.name) ?? token.name;
    if (!Object.hasOwn(options, name)) {
      throw new UserError(unknown(command, name, rawName, [...Object.keys(options), ...aliases.keys()]));
    }
    const wanted = options[name].value;
    const list = values[name];
    if (list && !Array.isArray(list)) throw fail(`${rawName} is given twice`);
    // "--unit --force" would swallow an option; another value that starts with "-" is written --name=-value.
    if (wanted && (!value || !token.inlineValue && /^-(?!\.?\d)/.test(value))) {
      throw fail(`${rawName} needs a value: ${rawName} ${wanted}`);
    }
    if (!wanted && value !== undefined) throw fail(`${rawName} takes no value, got "${value}"`);
    if (Array.isArray(list)) list.push(value!);
    else values[name] = value ?? true;
  }
  if (operands.length > 0 && !command.operands) throw fail(`"${operands[0]}" belongs to no option`);
  return { values: values as Values<Options> & { help: boolean }, operands };
}

/** The sentence about an option that there is not. */
function unknown<Options extends Record<string, Option>>(
  { lacks }: Command<Options>,
  name: string,
  typed: string,
  known: readonly string[],
): string {
  const why = lacks?.(name);
  if (why) return `${typed} ${why}; --help lists the options`;
  const near = nearest(name, known);
  return `there is no option ${typed}; ${near === undefined ? "" : `is --${near} meant? `}--help lists the options`;
}

/** A failure as the sentence that its reader needs; a fault of the program itself keeps its stack. */
function sentence(error: unknown): string {
  if (error instanceof UserError || error instanceof GpuError) return error.message;
  if (error instanceof Deno.errors.NotCapable) return `not permitted: ${reasonOf(error)}`;
  if (error instanceof RangeError && /allocation failed|typed array length/i.test(error.message)) {
    return "there is not enough memory for this";
  }
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/**
 * A task starts in the project's folder, wherever below it the user typed; paths are meant from there. INIT_CWD outside
 * the project is some outer program's and says nothing.
 */
function goWhereTyped(): void {
  const typed = Deno.env.get("INIT_CWD");
  if (typed?.startsWith(Deno.cwd() + sep)) Deno.chdir(typed);
}
