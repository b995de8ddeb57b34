/** Kernels and ways of the user's own, from the command line: `--replace KERNEL=FILE.wgsl` and `--ways FILE.ts`. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../formats/user_error.ts";
import type { Verdict } from "../lab/judge.ts";
import { type OwnKernel, replacing } from "../lab/replace.ts";
import { addWays, type Device, type SearchOptions } from "../mod.ts";
import { isFile, readBytes } from "./files.ts";

/** The options of commands that run them. */
export const ownOptions = {
  replace: {
    value: "KERNEL=FILE",
    repeats: true,
    help: "runs this WGSL in place of a kernel, once it is right beside float64: see docs/kernels.md",
  },
  ways: { value: "FILE.ts", repeats: true, help: "adds ways of your own to compute layers: see docs/kernels.md" },
} as const;

/** What the user brought, read. */
export interface Own {
  kernels: OwnKernel[];
  /** What was read, with the hash of its text: a picture's record says it. */
  files: OwnFile[];
}

/** A file, and for a kernel's the kernel's name. */
export interface OwnFile {
  kernel?: string;
  file: string;
  sha256: string;
}

/** Reads kernels, and adds ways to the registries. @throws UserError in one sentence. */
export async function readOwn(
  { replace, ways }: { replace: readonly string[]; ways: readonly string[] },
): Promise<Own> {
  const own: Own = { kernels: [], files: [] };
  for (const given of replace) {
    const [, kernel, file] = /^([^=]+)=(.+)$/.exec(given) ?? [];
    if (!file) throw new UserError(`--replace expects KERNEL=FILE, such as conv3=mine.wgsl, got "${given}"`);
    if (own.kernels.some((one) => one.kernel === kernel)) throw new UserError(`--replace names ${kernel} twice`);
    const wgsl = await textOf(file);
    const beside = file.replace(/(\.wgsl)?$/, ".json");
    own.kernels.push({ kernel, file, wgsl, json: isFile(beside) ? await textOf(beside) : undefined });
    own.files.push({ kernel, file, sha256: sha256(wgsl) });
  }
  for (const file of ways) {
    own.files.push({ file, sha256: sha256(await textOf(file)) });
    addWays(await waysOf(file), file);
  }
  return own;
}

/** What a search, or a plan, is told of them. Each is tried before the first run, and `tell` hears what was found. */
export function ownPlanning(
  device: Device,
  { kernels, files }: Own,
  tell: (line: string, verdict: Verdict) => void,
): Pick<SearchOptions, "replace" | "onReady"> {
  if (files.length === 0) return {};
  return {
    replace: replacing(device, kernels),
    async onReady(plan) {
      const { judge, verdictLine } = await import("../lab/judge.ts"); // brings all float64 loops, which most runs do without
      for (const verdict of await judge(device, plan)) tell(verdictLine(verdict), verdict);
    },
  };
}

/** The ways that a module exports. */
async function waysOf(file: string) {
  let module: { ways?: unknown };
  try {
    module = await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new UserError(`${file} cannot be run: ${line}`);
  }
  return module.ways as Parameters<typeof addWays>[0];
}

/** Bytes of the longest program that is read. */
const mostBytes = 1 << 20;

async function textOf(file: string): Promise<string> {
  const bytes = await readBytes(file);
  if (bytes.length > mostBytes) throw new UserError(`${file} has ${bytes.length} bytes, expected a program's text`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${file} is not text`);
  }
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
