/** Options that change nothing: what is said of them before pictures are made. */
import { valueCount } from "../formats/shape.ts";
import {
  boundsOn,
  type Circumstances,
  fittingsOf,
  hasViews,
  type Model,
  optionOf,
  settingNames,
  settings,
  unbounded,
} from "../mod.ts";
import { type Request, type Row, searchOf } from "./request.ts";

/** What is asked of options: whether one has an effect on a row. */
interface Asked extends Circumstances {
  request: Request;
  row: Row;
}

/** An option beside the settings: whether it is given, and why it has no effect, in words. */
interface Other {
  isGiven(request: Request): boolean;
  idle(asked: Asked): string | undefined;
}

const others: Record<string, Other> = {
  bounds: {
    isGiven: ({ bounds }) => bounds !== undefined,
    idle: ({ row }) => unbounded(row.settings),
  },
  xy: {
    isGiven: ({ xy }) => xy !== undefined,
    idle: ({ row: { layer } }) => layer?.width === 1 && layer.height === 1 ? "where a layer has no maps" : undefined,
  },
  window: {
    isGiven: ({ windowSize }) => windowSize !== undefined,
    idle: ({ request: { windowSize = 0, frames = 1 } }) =>
      windowSize >= frames ? `where there are no more than its ${windowSize} frames` : undefined,
  },
};

/** Pictures that are made together: where they start if not from seeds, and their code's bounds if not the generator's own. */
interface Begun {
  row: Row;
  start?: unknown;
  bounds?: { values: Float32Array };
}

/** A sentence for each option that was given and has no effect on any of these, and one where seeds have none. */
export function idleLines(request: Request, rows: readonly Begun[], classifier: Model): string[] {
  const all = rows.map(({ row, start, bounds }): Asked => ({
    ...{ request, row, given: start !== undefined },
    bounds: bounds ? sidesOf(bounds.values, row) : boundsOn(row.generator),
    fittings: () => fittingsOf(searchOf(request, row, classifier)),
  }));
  const line = (option: string, idle: (asked: Asked) => string | undefined): string[] => {
    if (all.some((asked) => idle(asked) === undefined)) return [];
    return [`--${option} has no effect ${idle(all[0])}`];
  };
  const lines = [
    ...settingNames.filter((name) => request.said[name] !== undefined)
      .flatMap((name) => line(optionOf(name), (asked) => settings[name].idle?.(asked.row.settings, asked))),
    ...Object.entries(others).filter(([, { isGiven }]) => isGiven(request))
      .flatMap(([name, { idle }]) => line(name, idle)),
  ];
  const seeded = all.some(({ row }) => row.items.some(({ seed }) => seed !== 0));
  const still = all.find(({ row: { settings }, given }) => (given || settings.noise === 0) && !hasViews(settings));
  if (seeded && still) {
    const without = `${still.given ? "with --init" : "with --noise 0"} and without --jitter, --zoom or --rotation`;
    lines.push(`seeds have no effect where nothing is random, ${without}: every seed gives the same picture`);
  }
  return lines;
}

/** On which sides a row's code is bounded by these: upper bounds, and perhaps as many lower ones. */
const sidesOf = ({ length }: Float32Array, { generator }: Row): Circumstances["bounds"] =>
  length > valueCount(generator.network.inputs[0].shape) ? "both" : "upper";
