/** Ctrl-C: the first stops the work in an orderly way, a second one ends the program. */

/** Exit code of a program that Ctrl-C has stopped. */
export const interrupted = 130;

/** npx passes on a Ctrl-C that the terminal has already sent to every program: two signals for one key. */
const sameKeyMs = 500;

/** An AbortSignal that Ctrl-C aborts, from now until the end of the program. */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  Deno.addSignalListener("SIGINT", () => {
    const now = performance.now();
    if (!controller.signal.aborted) {
      first = now;
      controller.abort();
    } else if (now - first > sameKeyMs) Deno.exit(interrupted);
  });
  return controller.signal;
}
