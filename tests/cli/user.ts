/**
 * A user at the command line: types a task in the project's folder and reads what comes back.
 *
 * The task runner and the set-up before a command take as long as most commands. So they go along only where they matter,
 * which is with every task at least once: where a signal comes, in another folder, and for `--help`, which every command is
 * asked for. Elsewhere the task's own words are run, with its permissions.
 */
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };

/** The project's folder. */
export const root = join(import.meta.dirname!, "../..");

/** What a command did. */
export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** How it is typed. */
export interface Circumstances {
  env?: Record<string, string>;
  /** The folder that it is typed in. */
  cwd?: string;
  /** Presses Ctrl-C as soon as stderr holds this. */
  interruptAt?: string;
  /** Does something, such as sending another signal, as soon as stderr holds a text. */
  when?: [text: string, act: (child: Deno.ChildProcess) => void | Promise<void>];
  /**
   * Largest file that the system allows, in blocks of 512 bytes; a larger one fails (signal 25, which kills, is ignored; the
   * task runner would bring it back).
   */
  fileBlocks?: number;
  /** A program of this folder that runs before the task. */
  preload?: string;
}

/** Types `deno task NAME ARGS…` and waits for its end. */
export async function type(args: string[], circumstances: Circumstances = {}): Promise<Outcome> {
  const { env, cwd = root, interruptAt, fileBlocks, preload } = circumstances;
  const [awaited, act] = circumstances.when ?? [interruptAt, (child: Deno.ChildProcess) => child.kill("SIGINT")];
  const byTask = preload === undefined && (awaited !== undefined || cwd !== root || args.includes("--help"));
  const [deno, ...rest] = byTask ? [Deno.execPath(), "task", "--quiet", ...args] : withoutTask(args);
  const line = preload === undefined
    ? [deno, ...rest]
    : [deno, "run", "--preload", join(import.meta.dirname!, preload), ...rest.slice(1)];
  const [program, ...words] = fileBlocks === undefined
    ? line
    : ["sh", "-c", `trap '' 25; ulimit -f ${fileBlocks}; exec "$@"`, "sh", ...line];
  const child = new Deno.Command(program, {
    args: words,
    cwd,
    env: { NO_COLOR: "1", PHOSPHENE_SETUP: "skip", PHOSPHENE_TUNED: "none", INIT_CWD: cwd, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const out = new Response(child.stdout).text();
  let err = "";
  let acting: void | Promise<void> | undefined = undefined;
  let seen = false;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    err += text;
    if (awaited === undefined || seen || !err.includes(awaited)) continue;
    seen = true;
    acting = act(child);
  }
  await acting;
  const { code } = await child.status;
  return { code, out: await out, err };
}

/** What the task runs, with its permissions. */
export function withoutTask([name, ...args]: string[]): string[] {
  const command = config.tasks[name as "synth"].command.replace(/\$\(deno eval .*?\)(?= )/, Deno.execPath());
  return [Deno.execPath(), ...command.split(" ").slice(1), ...args];
}

/** Starts a program of this folder that may read and write; what it prints is piped. */
export const startProgram = (name: string, ...args: string[]): Deno.ChildProcess =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", "--allow-write", join(import.meta.dirname!, name), ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();

/** The exit codes of a program that these signals stop. */
export const stopCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** An empty folder that is gone after the test. */
export function temporaryFolder(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "phosphene-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Names in a folder, sorted; none where there is no folder. */
export function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
