/** Options that change nothing: what is said of them before pictures are made. */
import { hasViews, optionOf, settingNames, type Settings, settings } from "../mod.ts";
import type { Row } from "../record/request.ts";

/**
 * A sentence for each setting that was said and has no effect in any row, and one where seeds have none.
 * @param said The settings that somebody said.
 */
export function idleLines(said: Partial<Settings>, rows: readonly Pick<Row, "settings" | "items">[]): string[] {
  const lines = settingNames.filter((name) => said[name] !== undefined).flatMap((name) => {
    const reasons = rows.map((row) => settings[name].idle?.(row.settings));
    return reasons.every((reason) => reason !== undefined) ? [`--${optionOf(name)} has no effect ${reasons[0]}`] : [];
  });
  const seeds = new Set(rows.flatMap(({ items }) => items.map(({ seed }) => seed)));
  if (seeds.size > 1 && rows.some(({ settings }) => settings.noise === 0 && !hasViews(settings))) {
    lines.push(
      "seeds have no effect where nothing is random, with --noise 0 and without --jitter, --zoom or --rotation: " +
        "some pictures will be the same",
    );
  }
  return lines;
}
