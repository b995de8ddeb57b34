/** The numbers by which each item is seen in the next iteration, out of those of all. Bindings: views, state, view. */
import { stateCode } from "./state.ts";

/** One invocation an item, after the iteration was counted. */
export const nextView = (state: readonly string[], items: number, iterations: number): string => `
${stateCode(state)}
fn kernel(i: u32) {
  let next = min(u32(state_of(i).iteration), ${iterations - 1}u);
  store_view(i, load_views(next * ${items}u + i));
}`;
