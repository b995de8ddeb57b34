/** What a program asks of a search, as far as it takes no network to see that it cannot be. */
import { checkModel, checkWhole, told } from "../net/asked.ts";
import { UserError } from "../formats/user_error.ts";
import type { SearchOptions } from "./options.ts";

/** @throws UserError where an option is none, or the targets are none. */
export function checkAsked(asked: SearchOptions): void {
  if (typeof asked !== "object") throw new UserError(`a search is asked for ${told(asked)}, expected its options`);
  const { generator, classifier, layer = "", every = 1, saveMs = 0, windowSize = 1, shuffles = 0 } = asked;
  checkModel("classifier", classifier);
  if (generator !== undefined) checkModel("generator", generator);
  if (typeof layer !== "string") throw new UserError(`layer is ${told(layer)}, expected its name`);
  checkWhole("every", every, 1);
  checkWhole("windowSize", windowSize, 1);
  checkWhole("shuffles", shuffles, 0);
  if (!(typeof saveMs === "number" && saveMs >= 0)) {
    throw new UserError(`saveMs is ${told(saveMs)}, expected milliseconds of at least 0`);
  }
}
