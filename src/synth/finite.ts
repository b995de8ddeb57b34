/** What a search comes to are numbers, or it ends in a sentence that says what led to what is none. */
import { beyondFloat16, beyondFloat32, firstNonFinite } from "../net/finite.ts";
import { UserError } from "../formats/user_error.ts";
import type { ClimbSettings, Readings } from "./climb_data.ts";
import type { Joined } from "./joined.ts";
import type { MadeSearch } from "./options.ts";

/** What a search is of, for a sentence. */
export type Told =
  & Pick<MadeSearch, "generator" | "classifier" | "arithmetic">
  & { joined: Joined; settings: ClimbSettings; earlier: number };

const beyond = ({ arithmetic }: Told) => arithmetic === "f16" ? beyondFloat16 : beyondFloat32;

/** The layers that are climbed, by name. */
const sourcesOf = ({ objective: { sources } }: ClimbSettings): string => sources.map(({ name }) => name).join(" and ");

/** Factors that nobody needs to tell apart from 1 where numbers grow beyond all bounds. */
const USUAL_FACTOR = 1000;

/** The target's factors, for a sentence on what may be too large; nothing where they are not. */
function largeFactors({ objective: { texels, items, slots } }: ClimbSettings): string {
  let largest = 0;
  texels.forEach((value, at) => {
    const isFactor = at < 4 * items * slots ? at % 4 === 3 : at % 4 === 1; // of a term, or of its pair
    if (isFactor) largest = Math.max(largest, Math.abs(value));
  });
  return largest > USUAL_FACTOR ? `factors of the target (up to ${Number(largest.toPrecision(6))}) or ` : "";
}

/** @throws UserError where an activation of these iterations, one of every item after the other, is none. */
export function checkTrace(trace: Float32Array, told: Told): void {
  const at = firstNonFinite(trace);
  const { settings, classifier, generator, earlier } = told;
  if (at < 0) return;
  const iteration = earlier + Math.floor(at / settings.objective.items);
  const { lrStart, lrEnd, rule } = settings;
  const factors = largeFactors(settings);
  const of = factors && "the target, a sum over ";
  const where = `${of}${classifier.name}'s ${sourcesOf(settings)} is ${trace[at]}`;
  if (iteration === 0) {
    throw new UserError(
      `${where} at the start: ${
        beyond(told)
      }; are ${factors}weights of ${generator.name} or ${classifier.name}, or the code, too large?`,
    );
  }
  throw new UserError(
    `${where} after ${iteration} of ${earlier + settings.iterations} iterations: ${
      beyond(told)
    }; ${factors}steps of the rule ${rule} from ` +
      `--lr-start ${lrStart} to --lr-end ${lrEnd} may be too ${factors ? "large" : "long"}`,
  );
}

/** @throws UserError where something of what the last iteration left is no number. */
export function checkReadings({ trace, values, images, codes }: Readings, told: Told): void {
  checkTrace(trace, told);
  const { generator, classifier, joined } = told;
  const parts: [string, Float32Array | undefined][] = [
    [`the picture that ${generator.name} makes`, images],
    [`${classifier.name}'s ${joined.output.name}`, values],
    [`the code of ${generator.name} after the last step`, codes],
  ];
  for (const [what, numbers] of parts) {
    const at = numbers ? firstNonFinite(numbers) : -1;
    if (at >= 0) throw new UserError(`${what} holds ${numbers![at]}: ${beyond(told)}; are steps or weights too large?`);
  }
}

/** @throws UserError where the gradient that moved nothing is not zero but none. */
export function checkGradient(gradient: Float32Array, { generator, classifier, settings }: Told): void {
  const at = firstNonFinite(gradient);
  const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (at < 0 && largest * gradient.length < 3e38) return;
  throw new UserError(
    `the gradient of ${classifier.name}'s ${sourcesOf(settings)} to the code of ${generator.name} is beyond float32 ` +
      `(${at < 0 ? largest : gradient[at]}), so no step can be made; are ${largeFactors(settings)}weights too large?`,
  );
}
