/** What may change while a search is on its way. */
import { UserError } from "../formats/user_error.ts";
import { told } from "../net/asked.ts";
import type { MadeSearch, SearchOptions } from "./options.ts";
import { type SettingName, settingNames, type Settings } from "./settings.ts";

/** The settings that say what a picture is and how it is seen: a search keeps to them. */
export const lasting = [
  "prior",
  "size",
  "fit",
  "interpolation",
  "octaves",
  "octaveScale",
  "jitter",
  "zoom",
  "rotation",
  "edges",
] as const satisfies readonly SettingName[];

/** One of them. */
export type Lasting = typeof lasting[number];

/**
 * What may change while a search is on its way. The steps that are left are, bit for bit, the search that somebody else begins with
 * these settings from these codes: a rule's memory is empty, ReLUs that are off are passed through anew where nothing leads on. The
 * step's length goes on from where it has come to, unless `lrStart` or `rule` is given, and comes to `lrEnd` at the end.
 *
 * `iterations` says how many there are in all, those that are done included, and there is at least one more; what is answered after
 * the last one counts only where it says more. Of several octaves these are the iterations of each.
 */
export interface Change extends Partial<Omit<Settings, Lasting>>, Pick<SearchOptions, "bounds"> {
  /**
   * Where it goes on from, a code for each target: those that the last step made unless given. Whoever has read them (`Progress.codes`)
   * gives them, and needs no device any more that was lost meanwhile.
   */
  codes?: readonly Float32Array[];
}

/** What may be changed. */
const changeable: readonly string[] = [...settingNames, "bounds", "codes"];

/** @throws UserError where what somebody answered is no change of a search. */
export function checkChange(answer: unknown, search: MadeSearch): asserts answer is Change {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw new UserError(`onProgress answered ${told(answer)}, expected settings that change, or nothing`);
  }
  const said = Object.entries(answer).filter(([, value]) => value !== undefined);
  const [stray] = said.find(([name]) => !changeable.includes(name)) ?? [];
  if (stray !== undefined) throw new UserError(`onProgress answered ${stray}, which is no setting`);
  const [kept] = said.find(([name, value]) => lasting.some((one) => one === name && value !== search[one])) ?? [];
  if (kept !== undefined) throw new UserError(`onProgress answered ${kept}, which a search on its way keeps to`);
}
