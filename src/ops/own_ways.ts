/** Ways of the user's own: added to the registries, they are offered to plans, benchmarks and checks as ours are. */
import { UserError } from "../formats/user_error.ts";
import type { Op } from "./op.ts";
import { ops } from "./table.ts";
import type { Backward, Forward, Way } from "./way.ts";

/**
 * Ways by the layer type that they serve. One without `cost` is taken wherever it applies; one with competes by it. Weights
 * are in the plain form: 4 × 4 blocks for convolutions and fc, as `packConv` lays them out.
 */
export type OwnWays = Readonly<Record<string, OwnWaysOfOp>>;

/** Ways to a layer's output, and to the gradients of its inputs. */
export interface OwnWaysOfOp {
  // Whoever writes a way knows the parameters of its layer type.
  // deno-lint-ignore no-explicit-any
  readonly forward?: readonly Way<any, Forward<any>>[];
  // deno-lint-ignore no-explicit-any
  readonly backward?: readonly Way<any, Backward<any>>[];
}

/**
 * Adds ways for the rest of the program.
 * @param file Where they come from, for messages.
 * @throws UserError where something is no way, serves no layer type, or has a name that is taken.
 */
export function addWays(ways: OwnWays, file: string): void {
  const fail = (what: string): never => {
    throw new UserError(`${file}: ${what}`);
  };
  if (typeof ways !== "object" || ways === null) fail('expected an export "ways" of ways by layer type');
  const added: (() => void)[] = [];
  for (const [type, own] of Object.entries(ways)) {
    const op: Op = ops[type] ?? fail(`there is no layer type "${type}"`);
    for (const [pass, list] of Object.entries(own ?? {})) {
      if (pass !== "forward" && pass !== "backward") {
        fail(`ways of ${type} have "${pass}", expected forward or backward`);
      }
      if (!Array.isArray(list)) fail(`${type}.${pass} is no list of ways`);
      const registry = op[pass as "forward" | "backward"] as Way<unknown, unknown>[];
      for (const way of list) {
        const { name, calls } = way ?? {};
        if (typeof name !== "string" || name === "") fail(`a way of ${type}.${pass} has no name`);
        if (typeof calls !== "function") fail(`the way "${name}" of ${type}.${pass} has no function "calls"`);
        if (registry.some((other) => other.name === name)) fail(`${type} has a way "${name}" already`);
        added.push(() => registry.unshift({ ...way, file })); // of equals the first is taken
      }
    }
  }
  if (added.length === 0) fail("it holds no ways");
  added.forEach((add) => add());
}
