/** Command lines in the documentation. */
import { join, relative } from "node:path";
import { parse } from "../../src/cli/command.ts";
import { called, root, type TypedCommand } from "./commands.ts";

/** All Markdown files of the project that a user reads. */
export function documents(): { file: string; text: string }[] {
  const found: string[] = [];
  const search = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(join(root, folder))) {
      if (isDirectory) search(join(folder, name));
      else if (name.endsWith(".md")) found.push(join(folder, name));
    }
  };
  for (const folder of ["docs", "models", "tools", "examples"]) search(folder);
  for (const { name } of Deno.readDirSync(root)) if (name.endsWith(".md")) found.push(name);
  return found.map((file) => ({ file: relative("", file), text: Deno.readTextFileSync(join(root, file)) }));
}

const fences = /^```[^\n]*\n([^]*?)^```/gm;

/** Code between single backquotes of one line. */
const spans = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);

/**
 * The words after `deno task` of every command line in a text: lines of fenced blocks, and code in a sentence. In a table's
 * row, code that begins with an option is another line of the row's command.
 */
export function documentedLines(text: string): string[][] {
  const lines: string[][] = [];
  const add = (line: string) => {
    const typed = /^(?:\$ )?(?:npx -y )?deno task (.+)$/.exec(line.trim())?.[1];
    if (typed) lines.push(wordsOf(typed));
    return typed;
  };
  for (const [, block] of text.matchAll(fences)) block.split("\n").forEach(add);
  for (const line of text.replaceAll(fences, "").split("\n")) {
    let before: string | undefined;
    for (const code of spans(line)) {
      const typed = add(code);
      if (typed) before = typed.replace(/ --.*/, "");
      else if (before && line.startsWith("|") && code.startsWith("--")) add(`deno task ${before} ${code}`);
    }
  }
  return lines;
}

/** The options that code in a text's sentences begins with: they are of some command. */
export const looseOptions = (text: string): string[] =>
  spans(text.replaceAll(fences, "")).flatMap((code) => /^--([\w-]+)/.exec(code)?.[1] ?? []);

/** Words as a shell parts them, with double quotes for those that hold blanks. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);

/** What is wrong with a documented line: nothing, or a sentence. */
export function faultOf(
  line: readonly string[],
  commands: readonly TypedCommand[],
  tasks: readonly string[],
  file: string,
): string[] {
  const [task] = line;
  const said = (fault: string) => [`${file}: deno task ${line.join(" ")}: ${fault}`];
  if (!tasks.includes(task)) return said(`there is no task "${task}"`);
  const call = called(commands, line);
  const same = commands.filter(({ words }) => words[0] === task);
  if (!call && same.length > 0 && line[1] !== "--help") {
    return said(`expected ${same.map(({ words }) => words.join(" ")).join(" or ").replace(/ or (?=.* or )/g, ", ")}`);
  }
  if (!call) return [];
  try {
    parse(call.command, call.args);
    return [];
  } catch (error) {
    return said((error as Error).message);
  }
}
