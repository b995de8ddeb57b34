/** The inputs of networks that take more than one: which of them the search makes, and what the others are given. */
import { UserError } from "../formats/user_error.ts";
import type { Model } from "../net/model.ts";
import { count } from "../ops/op.ts";

/** Values of inputs by name, `generator:NAME` or `classifier:NAME` where both networks have one of it. */
export type GivenInputs = Readonly<Record<string, Float32Array>>;

/** A network's input. */
export type Input = Model["network"]["inputs"][number];

/** What a network is: where its inputs are named after it. */
export type Role = "generator" | "classifier";

/** A network's inputs: the one that the search makes, and the others with their values. */
export interface Inputs {
  /** The input that the search or the picture goes to. */
  free: Input;
  /** Values of the others, one item's each. */
  given: Map<Input, Float32Array>;
}

const names = ({ network }: Model): string => network.inputs.map(({ name }) => name).join(", ");

/** Sorts the inputs of both networks. @throws UserError where a network has several of which too few or too many are given. */
export function sortInputs(
  models: Record<Role, Model>,
  given: GivenInputs = {},
): Record<Role, Inputs> {
  const roles = ["generator", "classifier"] as const, used = new Set<string>();
  const shared = ({ name }: Input) =>
    roles.every((role) => models[role].network.inputs.some((input) => input.name === name));
  const sorted = roles.map((role) => {
    const { network: { inputs }, name: model } = models[role], values = new Map<Input, Float32Array>();
    for (const input of inputs) {
      const keys = [`${role}:${input.name}`, ...shared(input) ? [] : [input.name]];
      const key = keys.find((key) => Object.hasOwn(given, key));
      if (key === undefined) continue;
      used.add(key);
      if (given[key].length !== count(input.shape)) {
        throw new UserError(
          `--set ${key}: ${given[key].length} values, ${model} takes [${input.shape.join(", ")}] there`,
        );
      }
      if (!given[key].every(Number.isFinite)) throw new UserError(`--set ${key} holds NaN or infinity`);
      values.set(input, given[key]);
    }
    const free = inputs.filter((input) => !values.has(input)), what = role === "generator" ? "code" : "picture";
    if (free.length > 1) {
      const missing = free.map(({ name }) => name).join(", ");
      throw new UserError(
        `${model} takes ${inputs.length} inputs, ${
          names(models[role])
        }; --set NAME=FILE.npy gives all but the ${what}, ` +
          `and of ${missing} there is nothing`,
      );
    }
    if (free.length === 0) throw new UserError(`--set gives all inputs of ${model}; one must be left for the ${what}`);
    return { free: free[0], given: values };
  });
  const stray = Object.keys(given).find((key) => !used.has(key));
  if (stray !== undefined) {
    const both = models.generator.network.inputs.some((input) => input.name === stray && shared(input));
    throw new UserError(
      both
        ? `--set ${stray}: both networks have an input of that name; say generator:${stray} or classifier:${stray}`
        : `--set ${stray}: there is no input of that name; ${models.generator.name} has ${names(models.generator)}, ` +
          `${models.classifier.name} ${names(models.classifier)}`,
    );
  }
  return { generator: sorted[0], classifier: sorted[1] };
}
