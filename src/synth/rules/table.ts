/** The table of step rules: the name of an option and what it is. */
import { adam } from "./adam.ts";
import { ascent } from "./ascent.ts";
import { momentum } from "./momentum.ts";
import { paper } from "./paper.ts";
import type { StepRule } from "./rule.ts";

/** Every rule. */
export const rules: Readonly<Record<Rule, StepRule>> = { paper, adam, momentum, ascent };

/** How a step uses the gradient. */
export type Rule = "paper" | "adam" | "momentum" | "ascent";

/** The names of all rules. */
export const ruleNames: readonly Rule[] = Object.keys(rules) as Rule[];
