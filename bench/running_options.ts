/** The options of benchmarks that run a plan, and what they say. */
import type { Values } from "../src/cli/command.ts";
import { arithmeticOption, weightsOption } from "../src/cli/memory.ts";
import { ownOptions } from "../src/cli/own_kernels.ts";
import { tunedOption } from "../src/cli/tuned.ts";
import { oneOf, wholeNumber } from "../src/cli/values.ts";
import { UserError } from "../src/formats/user_error.ts";
import { networkOption } from "./networks/open.ts";
import { MOST_BATCH } from "./report.ts";
import type { Wanted } from "./running.ts";
import { arithmetics, formats } from "../src/mod.ts";

/** The options. */
export const runningOptions = {
  batch: { value: "N", help: "pictures made at once, or a network's items (1)" },
  generator: { value: "DIR", help: "of a search: the image generator's model folder (the embedded one)" },
  classifier: { value: "DIR", help: "of a search: the classifier's model folder (the embedded one)" },
  model: { value: "DIR", help: "this network, forward and gradient, in place of a search" },
  network: { ...networkOption, help: `the same of ${networkOption.help}` },
  layer: { value: "NAME", help: "with --model or --network: as far as this layer or blob (the last)" },
  forward: { help: "with --model or --network: without the gradient" },
  weights: weightsOption,
  arithmetic: arithmeticOption,
  tuned: tunedOption,
  ...ownOptions,
};

/** What they ask for. @throws UserError where they exclude each other. */
export function wantedOf(values: Values<typeof runningOptions>) {
  const { generator, classifier, model, network, layer, forward } = values;
  if (model !== undefined && network !== undefined) throw new UserError("--model and --network exclude each other");
  if ((model ?? network) !== undefined && (generator ?? classifier) !== undefined) {
    throw new UserError("--model and --network take the place of --generator and --classifier");
  }
  if ((model ?? network) === undefined && (layer !== undefined || forward)) {
    throw new UserError("--layer and --forward go with --model or --network");
  }
  const batch = wholeNumber("--batch", values.batch, { least: 1, most: MOST_BATCH, fallback: 1 });
  const wanted: Wanted = { generator, classifier, model, network, layer, forward, batch };
  return {
    wanted,
    weights: oneOf("--weights", values.weights, formats),
    arithmetic: oneOf("--arithmetic", values.arithmetic, arithmetics),
  };
}
