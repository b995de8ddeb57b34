/** Makes what a source of pieces gives, one piece after the other. */
import { UserError } from "../../formats/user_error.ts";
import { warn } from "../print.ts";
import { planning } from "../tuned.ts";
import { progress, stderrScreen } from "../progress.ts";
import { openAdapter } from "../defaults.ts";
import { picturesOf, type Piece } from "./plan.ts";
import type { Results } from "./results.ts";
import type { Source } from "./source.ts";
import { type Bench, make } from "./work.ts";

/** What pieces are made with, but for what is made when there is one. */
export interface Making {
  source: Source;
  /** The pieces that are not there yet; others are as good as made. */
  missing: readonly Piece[];
  results: Results;
  bench: Omit<Bench, "device" | "choose" | "onPlan" | "onProgress">;
  values: { adapter?: string; tuned?: string; quiet: boolean };
}

/**
 * Makes all that the source has; what no search can make is told, and the others are made.
 * @returns Whether there was such.
 * @throws GpuError where the device fails, UserError where results cannot be written or pieces not be had.
 */
export async function makePieces({ source, missing, results, bench, values }: Making): Promise<boolean> {
  let taken = await source.next();
  let failed = false;
  if (!taken) return failed;
  using device = await openAdapter(values.adapter);
  const plans = planning(device, { tuned: values.tuned, verbose: false, sum: !values.quiet });
  const bar = progress("picture", stderrScreen(values.quiet));
  for (; taken; taken = await source.next()) {
    const { piece, before, of } = taken;
    if (missing.includes(piece)) {
      const making = make(piece, {
        ...{ ...bench, ...plans, device },
        onProgress({ iteration, iterations, activations }) {
          const done = Math.floor(before + activations.length * iteration / iterations);
          bar.show({ done, total: of, note: `iteration ${iteration} of ${iterations}` });
        },
      });
      let made: Awaited<typeof making>;
      try {
        made = await making.finally(bar.end);
      } catch (error) {
        const { message: reason } = error as Error;
        const elsewhere = !(error instanceof UserError);
        await source.settle({ reason, elsewhere });
        if (elsewhere) throw error;
        warn(`${picturesOf(piece)} cannot be made: ${reason}`);
        failed = true;
        continue;
      }
      if (!made) return failed;
      results.add(made.pictures, made.lines);
    }
    await source.settle();
  }
  return failed;
}
