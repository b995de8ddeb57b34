/** deno task bench WHAT: speed, beside the adapter's own peak, measured in the same run. */
import { type Command, main, type Option, print, tell } from "../src/cli/command.ts";
import { compareCommand } from "./compare/command.ts";
import { decodeCommand } from "./decode/command.ts";
import { kernelsCommand } from "./kernels/command.ts";
import { profileCommand } from "./profile/command.ts";
import { staticCommand } from "./static/command.ts";
import { synthCommand } from "./synth/command.ts";

/** What can be measured. */
export const commands = {
  synth: synthCommand,
  kernels: kernelsCommand,
  profile: profileCommand,
  compare: compareCommand,
  decode: decodeCommand,
  static: staticCommand,
};

const names = Object.keys(commands).join(", ");

/** Runs one of the commands; `synth` where no other is named. */
async function run([what = "synth", ...args]: string[]): Promise<never> {
  if (Object.hasOwn(commands, what)) {
    const command: unknown = commands[what as keyof typeof commands];
    return await main(command as Command<Record<string, Option>>, args);
  }
  if (what === "--help") {
    const first = `deno task bench [WHAT], one of ${names}; synth where none is named`;
    const texts = Object.values(commands).map(({ name, summary }) => `deno task ${name} --help\n\n${summary}`);
    [first, ...texts].join("\n\n").split("\n").forEach(print);
    Deno.exit(0);
  }
  if (what.startsWith("--")) return await main(synthCommand, [what, ...args]);
  tell(`bench: expected what to measure, ${names}, got "${what}"; --help says more`);
  Deno.exit(1);
}

if (import.meta.main) await run(Deno.args);
