/** What a user can type: the tasks of deno.json, and the options of those that run a command. */
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import type { Command, Option } from "../../src/cli/command.ts";

/** The project's folder. */
export const root = join(import.meta.dirname!, "../..");

/** The names of all tasks. */
export const tasks = Object.keys(config.tasks);

/** A command as it is typed. */
export interface TypedCommand {
  /** The task's name, and the subcommand's where there is one. */
  words: string[];
  command: Command<Record<string, Option>>;
}

/** All commands. @throws Error where a task's file is a command but does not export it. */
export async function allCommands(): Promise<TypedCommand[]> {
  const found: TypedCommand[] = [];
  for (const [task, { command: line }] of Object.entries(config.tasks)) {
    const file = /^deno run .* ([\w/]+\.ts)( |$)/.exec(line)?.[1];
    if (!file || !isCommand(await Deno.readTextFile(join(root, file)))) continue;
    const { command, commands } = await import(`../../${file}`);
    if (!command && !commands) throw new Error(`${file} runs a command; expected an export "command" or "commands"`);
    for (const [name, each] of Object.entries<TypedCommand["command"]>(commands ?? {})) {
      found.push({ words: [task, name], command: each });
    }
    if (command) found.push({ words: [task], command }); // where no subcommand is called
  }
  return found;
}

/** Whether a program's source runs a command of the command line's frame; others are not even imported. */
const isCommand = (source: string) =>
  /^import \{[^}]*\bmain\b[^}]*\} from "(\.|[^"]*\/cli)\/command\.ts";$/m.test(source);

/** The command that a line's words call, and the arguments it gets; undefined where they call none. */
export function called(commands: readonly TypedCommand[], line: readonly string[]) {
  const found = commands.find(({ words }) => words.every((word, place) => line[place] === word));
  return found && { ...found, args: line.slice(found.words.length) };
}

/** The names of the options in a line's words. */
export const optionsIn = (line: readonly string[]): string[] =>
  line.filter((word) => /^--\w/.test(word)).map((word) => word.slice(2).split("=")[0]);
