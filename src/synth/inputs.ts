/**
 * The inputs of networks that take more than one: which of them the search makes, and what the others are given. The mark that says
 * where a sequence goes on needs not be given: a search's batch is one sequence, which begins with its first item.
 */
import { UserError } from "../formats/user_error.ts";
import { buildGraph, markersOf } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import { count } from "../ops/op.ts";

/** Values of inputs by name, `generator:NAME` or `classifier:NAME` where both networks have one of it. */
export type GivenInputs = Readonly<Record<string, Float32Array>>;

/** A network's input. */
export type Input = Model["network"]["inputs"][number];

/** What a network is: where its inputs are named after it. */
export type Role = "generator" | "classifier";

/** What an input is given for a batch of so many items. */
export type Feed = (items: number) => Float32Array;

/** A network's inputs: the one that the search makes, and the others with what they are given. */
export interface Inputs {
  /** The input that the search or the picture goes to. */
  free: Input;
  /** What each of the others is given. */
  given: Map<Input, Feed>;
}

/** Values of one item for each of them, or each item's own. */
const feed = (values: Float32Array, { shape }: Input): Feed => (items) => {
  if (values.length > count(shape)) return values.subarray(0, items * count(shape));
  const all = new Float32Array(items * values.length);
  for (let item = 0; item < items; item++) all.set(values, item * values.length);
  return all;
};

/** A mark that is 0 where a sequence begins, and 1 where it goes on. */
const begun = ({ shape }: Input): Feed => (items) =>
  new Float32Array(items * count(shape)).fill(1).fill(0, 0, count(shape));

const names = ({ network }: Model): string => network.inputs.map(({ name }) => name).join(", ");

/**
 * Sorts the inputs of both networks.
 * @param frames Items of a batch, for which values may be given one by one.
 * @throws UserError where a network has several of which too few or too many are given.
 */
export function sortInputs(
  models: Record<Role, Model>,
  given: GivenInputs = {},
  frames = 1,
): Record<Role, Inputs> {
  const roles = ["generator", "classifier"] as const;
  const shared = ({ name }: Input) =>
    roles.every((role) => models[role].network.inputs.some((input) => input.name === name));
  const keysOf = (role: Role, input: Input) => [`${role}:${input.name}`, ...shared(input) ? [] : [input.name]];
  const keys = roles.flatMap((role) => models[role].network.inputs.flatMap((input) => keysOf(role, input)));
  const stray = Object.keys(given).find((key) => !keys.includes(key));
  if (stray !== undefined) {
    const both = models.generator.network.inputs.some((input) => input.name === stray && shared(input));
    throw new UserError(
      both
        ? `--set ${stray}: both networks have an input of that name; say generator:${stray} or classifier:${stray}`
        : `--set ${stray}: there is no input of that name; ${models.generator.name} has ${names(models.generator)}, ` +
          `${models.classifier.name} ${names(models.classifier)}`,
    );
  }
  const sorted = roles.map((role) => {
    const { network: { inputs }, name: model } = models[role];
    const values = new Map<Input, Feed>();
    for (const input of inputs) {
      const [key, again] = keysOf(role, input).filter((key) => Object.hasOwn(given, key));
      if (again !== undefined) {
        throw new UserError(`--set ${key} and --set ${again} are the same input; one of them is enough`);
      }
      if (key === undefined) continue;
      const size = count(input.shape);
      const { length } = given[key];
      if (length !== size && length !== frames * size) {
        const each = frames > 1 ? `, or those of ${frames} frames` : "";
        throw new UserError(`--set ${key}: ${length} values, ${model} takes [${input.shape.join(", ")}] there${each}`);
      }
      if (!given[key].every(Number.isFinite)) throw new UserError(`--set ${key} holds NaN or infinity`);
      values.set(input, feed(given[key], input));
    }
    for (const marker of inputs.length - values.size > 1 ? markersOf(buildGraph(models[role])) : []) {
      const input = inputs.find((input) => input === marker && !values.has(input));
      if (input && values.size < inputs.length - 1) values.set(input, begun(input));
    }
    const free = inputs.filter((input) => !values.has(input));
    const what = role === "generator" ? "code" : "picture";
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
  return { generator: sorted[0], classifier: sorted[1] };
}
