/** Two files of samples side by side. */
import { UserError } from "../../src/formats/user_error.ts";
import { checkConditions, type Sampled, type SamplesFile } from "../samples.ts";
import { type Change, changeOf, LEAST_RATIO } from "./change.ts";

/** What two files say together. */
export interface Compared {
  /** Of what both have, the largest first. */
  changes: Change[];
  /** The smallest ratio that is told. */
  leastRatio: number;
  /** Keys that only one file has. */
  onlyBefore: string[];
  onlyAfter: string[];
}

/**
 * Compares two files.
 * @param leastRatio The smallest change that is told, by `LEAST_RATIO` unless given.
 * @throws UserError where they were not measured under the same conditions, or have nothing in common.
 */
export function compare(before: SamplesFile, after: SamplesFile, leastRatio?: number): Compared {
  checkConditions(before, after);
  const ofAfter = new Map(after.samples.map((sampled) => [sampled.key, sampled]));
  const both = before.samples.filter(({ key }) => ofAfter.has(key));
  const common = new Set(both.map(({ key }) => key));
  if (both.length === 0) throw new UserError("the files cannot be compared: nothing was measured for both");
  const ratio = leastRatio ?? LEAST_RATIO[before.software ? "cpu" : "gpu"];
  const how = { kernels: both.length, leastRatio: ratio };
  const alone = ({ samples }: SamplesFile) => samples.map(({ key }) => key).filter((key) => !common.has(key));
  const [first, second] = [before, after].map(passesOf);
  return {
    changes: both.map((sampled) => changeOf(sampled.key, first(sampled), second(ofAfter.get(sampled.key)!), how))
      .sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio))),
    leastRatio: ratio,
    onlyBefore: alone(before),
    onlyAfter: alone(after),
  };
}

/** Of each pass a kernel's shortest time, in the reference kernel's shortest of all its turns in that pass. */
function passesOf({ samples }: SamplesFile): (sampled: Sampled) => number[] {
  const reference: number[] = [];
  for (const one of samples) {
    one.reference.forEach((times, pass) => reference[pass] = Math.min(reference[pass] ?? Infinity, ...times));
  }
  return ({ ms }) => ms.map((times, pass) => Math.min(...times) / reference[pass]);
}

/** A line for each change, for what cannot be compared, and a last one for all. */
export function comparedLines({ changes, leastRatio, onlyBefore, onlyAfter }: Compared): string[] {
  const changed = changes.filter(({ changed }) => changed);
  const noisy = changes.filter(({ noisy }) => noisy).length;
  return [
    ...changed.map(({ key, ratio, noise }) =>
      `${key}: ${ratio > 1 ? "slower" : "faster"}, takes ${ratio.toFixed(3)} times as long, ± ${percent(noise)}`
    ),
    ...onlyBefore.map((key) => `${key}: only in the first file`),
    ...onlyAfter.map((key) => `${key}: only in the second file`),
    `${changes.length} compared, ${changed.length} changed by ${percent(leastRatio - 1)} or more` +
    (noisy > 0 ? `; of ${noisy} too noisy for that, a change of 20 % would not be seen: measure more passes` : ""),
  ];
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
