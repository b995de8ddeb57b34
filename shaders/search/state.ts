/**
 * What a search's kernels know beside the networks' values: a few numbers an item that never leave the GPU. Which they are is
 * said by whoever makes the kernels (src/synth/settings.ts); the first counts the iterations.
 */

/** Texels of an item's state. */
export const stateTexels = (names: readonly string[]): number => Math.ceil(names.length / 4);

/** WGSL of `State`, and of `state_of(item)`, which reads it. Binding: state. */
export function stateCode(names: readonly string[]): string {
  const texels = stateTexels(names);
  const lanes = names.map((_, n) => `s${n >> 2}.${"xyzw"[n & 3]}`);
  return `
struct State {
  ${names.map((name) => `${name}: f32,`).join("\n  ")}
}

fn state_of(item: u32) -> State {
  ${Array.from({ length: texels }, (_, n) => `let s${n} = load_state(item * ${texels}u + ${n}u);`).join("\n  ")}
  return State(${lanes.join(", ")});
}`;
}

/** WGSL of `count_iteration(item)`. Binding: state, updated. */
export const countIteration = (names: readonly string[]): string => `
fn count_iteration(item: u32) {
  let first = item * ${stateTexels(names)}u;
  store_state(first, load_state(first) + vec4f(1.0, 0.0, 0.0, 0.0));
}`;
