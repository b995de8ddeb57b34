/**
 * The signals that end a program: Ctrl-C (SIGINT), `kill` (SIGTERM) and a closed terminal (SIGHUP).
 *
 * Where nothing has been begun the system ends the program. A command that has something to save asks for an AbortSignal
 * (`abortOnSignal`), and whatever leaves temporary things says how they are taken away (`atExit`). Deno hears signals
 * between two turns of the event loop, so what runs without `await` is never disturbed.
 *
 * A file that grows longer than the system lets it (`ulimit -f`) would end a program by SIGXFSZ, as it is: from the first
 * thing begun on that is an error of whoever writes, as a full disk is.
 */

/** The exit code of a program that such a signal has stopped: 128 and its number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

type Ending = keyof typeof exitCodes;

/** Those that there are: Windows has only the first. */
export const endings: readonly Ending[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];

/** npx passes on a Ctrl-C that the terminal has already sent to every program: two signals for one key. */
const sameKeyMs = 500;

const cleanups = new Set<() => void>();
let stop: AbortController | undefined;
let first: { signal: Ending; at: number } | undefined;
let listeners: Map<Ending, () => void> | undefined;
let lasting = false;

/**
 * An AbortSignal that the first of these signals aborts, from now until the end of the program. A second Ctrl-C ends the
 * program at once.
 */
export function abortOnSignal(): AbortSignal {
  stop = new AbortController();
  listen();
  return stop.signal;
}

/** The exit code of the signal that has come, if one has. */
export const stopCode = (): number | undefined => first && exitCodes[first.signal];

/** Whether the terminal is gone, and with it whoever reads. */
export const hungUp = (): boolean => first?.signal === "SIGHUP";

/** Has `cleanup` run when the program ends, by a signal too, unless it is disposed of before. It must not throw. */
export function atExit(cleanup: () => void): Disposable {
  cleanups.add(cleanup);
  listen();
  return {
    [Symbol.dispose]() {
      cleanups.delete(cleanup);
      if (cleanups.size === 0 && !stop && !lasting) unlisten();
    },
  };
}

/** From the first thing begun to the program's end signals are heard, also between one thing and the next. */
export function hearToTheEnd(): void {
  lasting = true;
}

/** The exit code of a signal that came during the last steps, once it has been heard. */
export async function lastStopCode(): Promise<number | undefined> {
  if (listeners) await new Promise((heard) => setTimeout(heard, 0));
  return stopCode();
}

function hear(signal: Ending): void {
  const again = first !== undefined;
  first ??= { signal, at: performance.now() };
  if (!stop) Deno.exit(exitCodes[signal]);
  if (!again) stop.abort();
  else if (signal === "SIGINT" && performance.now() - first.at > sameKeyMs) Deno.exit(exitCodes[signal]);
}

function passOver(): void {}

function listen(): void {
  if (listeners) return;
  listeners = new Map(endings.map((signal) => [signal, () => hear(signal)]));
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGXFSZ", passOver);
  addEventListener("unload", cleanUp);
}

function unlisten(): void {
  for (const [signal, listener] of listeners ?? []) Deno.removeSignalListener(signal, listener);
  if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGXFSZ", passOver);
  removeEventListener("unload", cleanUp);
  listeners = undefined;
}

/** `Deno.exit` comes here first. */
function cleanUp(): void {
  for (const cleanup of cleanups) cleanup();
}
