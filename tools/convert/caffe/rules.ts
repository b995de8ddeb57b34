/** How each type of Caffe layer is converted. Caffe's defaults are spelled out where ours differ. */
import { UserError } from "../../../src/formats/user_error.ts";
import { activationRules } from "./activation_rules.ts";
import { lstm } from "./lstm_rule.ts";
import type { Rule } from "./rule.ts";
import { shapeRules } from "./shape_rules.ts";
import { statisticsRules } from "./statistics_rules.ts";
import { trainedRules } from "./trained_rules.ts";
import { windowRules } from "./window_rules.ts";

/** Every type that is converted. */
export const rules: Readonly<Record<string, Rule>> = {
  ...activationRules,
  ...shapeRules,
  ...statisticsRules,
  ...trainedRules,
  ...windowRules,
  LSTM: lstm,
};

/** Layers that only measure: nothing needs what they make. */
export const dropped: readonly string[] = [
  "Accuracy",
  "ContrastiveLoss",
  "EuclideanLoss",
  "HDF5Output",
  "HingeLoss",
  "InfogainLoss",
  "MultinomialLogisticLoss",
  "SigmoidCrossEntropyLoss",
  "Silence",
  "SoftmaxWithLoss",
];

/** What there is to say of a type that is not converted. */
const reasons: Readonly<Record<string, string>> = {
  ArgMax: "it gives places, which have no gradient",
  DetectionOutput: "how many boxes it gives hangs on the picture",
  PriorBox: "it tells of sizes alone, not of what the network sees",
  Python: "its code is not in these files",
  RNN: "the recurrent layer that is known is LSTM",
};

/** The rule for a type. @throws UserError where there is none. */
export function ruleOf(type: string): Rule {
  if (Object.hasOwn(rules, type)) return rules[type];
  const reason = Object.hasOwn(reasons, type) ? `: ${reasons[type]}` : "";
  throw new UserError(`this type is not supported${reason}; docs/caffe.md lists those that are`);
}
