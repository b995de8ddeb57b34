/**
 * What a picture costs, whatever is climbed: terms of negative weight about the picture that is made, less the classifier's mean, in
 * units of 127.5 levels. They are means over its values, so that they weigh the same in every size, and count for nothing in what is
 * printed as the activation.
 */
import type { Kind } from "./objectives/table.ts";
import type { Settings } from "./settings.ts";

/** A term beside those of the target. */
export interface Penalty {
  kind: Kind;
  weight: number;
  power?: number;
}

/** The settings that cost something. */
export type Costs = Pick<Settings, "variation" | "alphaNorm" | "centre">;

/** Whether any does. */
export const hasPenalties = ({ variation = 0, alphaNorm = 0, centre = 0 }: Partial<Costs>): boolean =>
  variation > 0 || alphaNorm > 0 || centre > 0;

/** The terms, about a picture of so many values. */
export function penaltiesOf(
  { variation, alphaNorm, alpha, centre }: Costs & Pick<Settings, "alpha">,
  values: number,
): Penalty[] {
  const all: Penalty[] = [
    { kind: "variation", weight: -variation / values },
    { kind: "power", weight: -alphaNorm / values, power: alpha },
    { kind: "centre", weight: -centre / values },
  ];
  return all.filter(({ weight }) => weight < 0);
}
