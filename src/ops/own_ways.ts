/** Ways of the user's own: added to the registries, they are offered to plans, benchmarks and checks as ours are. */
import { UserError } from "../formats/user_error.ts";
import { type Binding, type Call, traffic } from "../gpu/call.ts";
import type { Node, Op } from "./op.ts";
import { ops } from "./table.ts";
import type { Backward, Forward, Way } from "./way.ts";

/**
 * Ways by the layer type that they serve. One without `cost` is taken wherever it applies; one with competes by it. Weights
 * are in the plain form: 4 × 4 blocks for convolutions and fc, as `packConv` lays them out.
 */
export type OwnWays = Readonly<Record<string, OwnWaysOfOp>>;

/** Ways to a layer's output, and to the gradients of its inputs. */
export interface OwnWaysOfOp {
  /** Ways to compute the output. */
  // Whoever writes a way knows the parameters of its layer type.
  // deno-lint-ignore no-explicit-any
  readonly forward?: readonly Way<any, Forward<any>>[];
  /** Ways to compute the gradients at the inputs. */
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
  for (const [type, passes] of Object.entries(ways)) {
    const op: Op = Object.hasOwn(ops, type) ? ops[type] : fail(`there is no layer type "${type}"`);
    for (const [pass, list] of Object.entries(passes ?? {})) {
      if (pass !== "forward" && pass !== "backward") {
        fail(`ways of ${type} have "${pass}", expected forward or backward`);
      }
      if (!Array.isArray(list)) fail(`${type}.${pass} is no list of ways`);
      const registry = op[pass as "forward" | "backward"] as Way<unknown, unknown>[];
      const own: Way<unknown, unknown>[] = [];
      for (const way of list) {
        const { name, calls } = way ?? {};
        if (typeof name !== "string" || name === "") fail(`a way of ${type}.${pass} has no name`);
        if (typeof calls !== "function") fail(`the way "${name}" of ${type}.${pass} has no function "calls"`);
        if ([...registry, ...own].some((other) => other.name === name)) fail(`${type} has a way "${name}" already`);
        own.push(guarded(way, `${file}: the way "${name}" of ${type}.${pass}`, file));
      }
      if (own.length > 0) added.push(() => registry.unshift(...own)); // of equals the first is taken
    }
  }
  if (added.length === 0) fail("it holds no ways");
  added.forEach((add) => add());
}

type Loose = Record<string, unknown>;

/** A way whose functions say whose they are where they fail, and whose calls write what they are for. */
function guarded(way: Loose, title: string, file: string): Way<unknown, unknown> {
  const guard = (name: string) => {
    const own = way[name];
    if (typeof own !== "function") return own === undefined ? {} : { [name]: own };
    return {
      [name](...given: unknown[]) {
        try {
          return own(...given);
        } catch (error) {
          if (error instanceof UserError) throw error;
          throw new UserError(`${title} fails in ${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      },
    };
  };
  const { calls } = guard("calls") as { calls(...given: unknown[]): unknown };
  return {
    ...way as unknown as Way<unknown, unknown>,
    ...["applies", "sizes", "cost"].reduce((all, name) => ({ ...all, ...guard(name) }), {}),
    file,
    calls(...given: unknown[]) {
      const made = calls(...given);
      const node = given[0] as Node;
      if (!Array.isArray(made)) throw new UserError(`${title} makes no list of calls for ${node.name}`);
      const written = new Set((made as Call[]).flatMap((call) => traffic(call).writes));
      const missing = targetsOf(given).find(({ tensor }) => !written.has(tensor));
      if (missing) throw new UserError(`${title} makes no call for ${node.name} that writes ${missing.tensor.label}`);
      return made;
    },
  };
}

/** What a way is asked to write: its output, or the gradients that are wanted. */
const targetsOf = ([, y, dx]: unknown[]): Binding[] =>
  Array.isArray(dx) ? dx.filter((binding) => binding !== undefined) : [y as Binding];
