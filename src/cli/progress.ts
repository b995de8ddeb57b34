/**
 * Progress on stderr: one line that redraws itself in a terminal, a few plain lines elsewhere (a log file, a pipe).
 */
import { printable } from "../formats/printable.ts";

/** How far the work is. */
export interface Step {
  done: number;
  total: number;
  /** What is happening there, in a few words. */
  note: string;
}

/** Where progress is drawn. */
export interface Screen {
  write(text: string): void;
  /** Columns of the terminal; undefined where lines cannot be redrawn. */
  columns?: number;
  /** The time in milliseconds. */
  now(): number;
}

/** Of work that is not watched live, its start and every tenth part are told. */
const plainLines = 10;
const barWidth = 20;
const redrawEveryMs = 80;

/** The screen that stderr is, or none at all where the user asked for quiet. */
export function stderrScreen(quiet: boolean): Screen | undefined {
  if (quiet) return undefined;
  return {
    write: drawOnStderr,
    columns: terminalColumns(),
    now: () => performance.now(),
  };
}

/** Writes on stderr what moves the cursor or has colours, and so holds no text of a file but printable one. */
export function drawOnStderr(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // Nobody reads it any more (`2>&1 | head`); the work goes on.
  }
}

/** Columns of the terminal that stderr is, if it is one. */
export function terminalColumns(): number | undefined {
  if (!Deno.stderr.isTerminal()) return undefined;
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/**
 * Starts a progress line. `show` may be called as often as one likes; `end` takes the line away. The first call only
 * starts the clock that tells the time left: what came before it, kernels being compiled above all, does not repeat.
 */
export function progress(unit: string, screen: Screen | undefined): { show(step: Step): void; end(): void } {
  if (!screen) return { show() {}, end() {} };
  let first: { done: number; at: number } | undefined;
  let drawnAt = -Infinity;
  let shown = -1;
  return {
    show({ done, total, note }) {
      const now = screen.now();
      const last = done === total;
      first ??= { done, at: now };
      const rate = (done - first.done) / (now - first.at);
      const left = rate > 0 && !last ? `  ${duration((total - done) / rate)} left` : "";
      const line = `${unit} ${String(done).padStart(String(total).length)}/${total}  ${printable(note)}${left}`
        .trimEnd();
      if (screen.columns === undefined) {
        const due = Math.floor(done * plainLines / total);
        if (due > shown) screen.write(`${line}\n`);
        shown = Math.max(shown, due);
      } else if (last || now - drawnAt >= redrawEveryMs) {
        const filled = Math.round(barWidth * done / total);
        const bar = "━".repeat(filled) + "╌".repeat(barWidth - filled);
        screen.write(`\r\x1b[K${`${bar} ${line}`.slice(0, screen.columns - 1)}`);
        drawnAt = now;
      }
    },
    end() {
      if (drawnAt > -Infinity) screen.write("\r\x1b[K");
    },
  };
}

/** A duration as a person would say it: "7 s", "2 min 05 s", "1 h 10 min". */
export function duration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}
