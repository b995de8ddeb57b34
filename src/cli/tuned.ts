/** Where commands keep the ways that `deno task tune` found, and how they choose by them. */
import { isAbsolute, join } from "node:path";
import {
  type Choose,
  type Chosen,
  describe,
  type Device,
  readWays,
  type SearchOptions,
  tuned,
  type TunedWays,
} from "../mod.ts";
import { parseJson } from "../formats/json.ts";
import { UserError } from "../formats/user_error.ts";
import { tell, warn } from "./command.ts";
import { statOf } from "./files.ts";
import { planLines } from "./memory.ts";

/** What else names the file, and where it is if nothing does. */
const elsewhere = "also the variable PHOSPHENE_TUNED (phosphene/tuned.json in the user's folder for caches)";

/** The option of commands that make plans. */
export const tunedOption = {
  value: "FILE",
  help: `the file of ways that \`deno task tune\` has found, or none to take the predicted ones; ${elsewhere}`,
};

/** The option of the command that finds them. */
export const keptOption = { value: "FILE", help: `the file that keeps the ways; ${elsewhere}` };

/** Bytes of the largest file that is read. */
const mostBytes = 1 << 24;

/** The file of tuned ways that the option, the environment or the system names; undefined where there shall be none. */
export function tunedFile(option: string | undefined): string | undefined {
  const named = option ?? Deno.env.get("PHOSPHENE_TUNED");
  if (named === "none") return undefined;
  if (named) return named;
  const folder = cacheFolder();
  return folder && join(folder, "phosphene", "tuned.json");
}

/** The user's folder for what can be made anew; undefined where the system names none. */
function cacheFolder(): string | undefined {
  const { os } = Deno.build;
  const absolute = (path?: string) => path && isAbsolute(path) ? path : undefined;
  if (os === "windows") return absolute(Deno.env.get("LOCALAPPDATA"));
  const own = absolute(Deno.env.get("XDG_CACHE_HOME"));
  const home = absolute(Deno.env.get("HOME"));
  return own ?? (home && join(home, ...os === "darwin" ? ["Library", "Caches"] : [".cache"]));
}

/** What a file of tuned ways holds: nothing where it is not there, cannot be read, or is something else. */
export function readTunedFile(file: string): TunedWays {
  try {
    const { isFile, size } = Deno.statSync(file);
    return readWays(isFile && size <= mostBytes ? Deno.readTextFileSync(file) : "");
  } catch {
    return new Map();
  }
}

/** How a file of tuned ways begins, of whatever version. */
const beginning = /^\s*\{\s*"phosphene"\s*:\s*"tuned ways/;

/**
 * Makes sure that a file that the user names for tuned ways is no other file: it is not there, empty, holds tuned ways, or is
 * called .json and broken. @throws UserError where it is something else.
 */
export function checkTunedFile(file: string): void {
  const found = statOf(file);
  if (!found || found.size === 0) return;
  if (found.size <= mostBytes) {
    const text = Deno.readTextFileSync(file);
    if (beginning.test(text) || file.endsWith(".json") && !isJson(text)) return;
  }
  throw new UserError(`${file} is there and holds something else than tuned ways; --tuned names another file`);
}

function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

/** Chooses by the file of tuned ways that the option or the environment names. A file that the user names should hold some. */
export function chooser(device: Device, option: string | undefined, tell?: (chosen: Chosen) => void): Choose {
  const file = tunedFile(option);
  const ways = file === undefined ? new Map() : readTunedFile(file);
  if (option !== undefined && file !== undefined && ways.size === 0) {
    warn(`${file} ${statOf(file) ? "holds no tuned ways" : "does not exist"}; all are chosen as predicted`);
  }
  return tuned(device, ways, tell);
}

/**
 * How a command makes its plan: by the tuned ways, and with `--verbose` telling of its memory and of every layer's ways; with `sum`
 * of its memory in one line, and again where that is another.
 */
export function planning(
  device: Device,
  { tuned: option, verbose, sum = false }: { tuned?: string; verbose: boolean; sum?: boolean },
): Required<Pick<SearchOptions, "choose" | "onPlan">> {
  const lines: string[] = [];
  let told = "";
  return {
    choose: chooser(device, option, (chosen) => lines.push(`  ${wayLine(chosen)}`)),
    onPlan(pieces, size) {
      const all = ["ways:", ...lines.splice(0)];
      if (verbose) planLines(pieces, size).concat(all).forEach(tell);
      else if (sum && told !== (told = planLines(pieces, size)[0])) tell(told);
    },
  };
}

/** The ways of a layer in words. */
function wayLine({ layer, forward, backward, by }: Chosen): string {
  const gradient = backward ? `; gradient: ${describe(backward)}` : "";
  return `${layer}: ${describe(forward)}${gradient}${by === "only" ? "" : ` (${by})`}`;
}
