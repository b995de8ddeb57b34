/** What a program asks of a search, as far as it takes no network to see that it cannot be. */
import { UserError } from "../formats/user_error.ts";
import { checkModel, checkNames, checkWhole, type Names, told } from "../net/asked.ts";
import type { SearchOptions, Target } from "./options.ts";
import { lastSeed, type SettingName, settingNames } from "./settings.ts";

const targetNames: Names<Target> = { units: true, target: true, seed: true, xy: true, code: true };

const others: Names<Omit<SearchOptions, SettingName>> = {
  ...{ generator: true, classifier: true, layer: true, targets: true, set: true, directions: true, bounds: true },
  ...{ frames: true, windowSize: true, shuffles: true, weights: true, arithmetic: true, choose: true, replace: true },
  ...{ every: true, saveMs: true, signal: true, onPlan: true, onReady: true, onProgress: true, onLost: true },
  onWindow: true,
};
const searchNames = { ...others, ...Object.fromEntries(settingNames.map((name) => [name, true])) };

/** @throws UserError where an option is none, or the targets are none. */
export function checkAsked(asked: SearchOptions): void {
  if (typeof asked !== "object") throw new UserError(`a search is asked for ${told(asked)}, expected its options`);
  const { generator, classifier, layer = "", every = 1, saveMs = 0, windowSize = 1, shuffles = 0 } = asked;
  checkNames("a search", asked, searchNames);
  checkModel("classifier", classifier);
  if (generator !== undefined) checkModel("generator", generator);
  if (typeof layer !== "string") throw new UserError(`layer is ${told(layer)}, expected its name`);
  checkWhole("every", every, 1);
  checkWhole("windowSize", windowSize, 1);
  checkWhole("shuffles", shuffles, 0);
  if (!(typeof saveMs === "number" && saveMs >= 0)) {
    throw new UserError(`saveMs is ${told(saveMs)}, expected milliseconds of at least 0`);
  }
  if (!Array.isArray(asked.targets)) throw new UserError(`targets are ${told(asked.targets)}, expected a list of them`);
  asked.targets.forEach(checkTarget);
}

function checkTarget(target: Target): void {
  if (typeof target !== "object") throw new UserError(`a target is ${told(target)}, expected its units and its seed`);
  const { units, target: sum, seed } = target;
  checkNames("a target", target, targetNames);
  checkWhole("a target's seed", seed, 0, lastSeed);
  if (units !== undefined && sum !== undefined) {
    throw new UserError("a target has units and a sum of terms, expected one");
  }
  if (units !== undefined && !Array.isArray(units)) {
    throw new UserError(`a target's units are ${told(units)}, expected a list of numbers`);
  }
}
