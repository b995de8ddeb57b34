/**
 * The softmax over a layer's channels at a position: p_k = e^{a_k} / Σ_c e^{a_c}, or its logarithm.
 *
 *   ∂p_k / ∂a_c = p_k (δ_kc − p_c)          ∂ log p_k / ∂a_c = δ_kc − p_c
 *
 * 1 − p_k is the sum of the others: where p_k is nearly one, as a search makes it, a difference would have lost it.
 */
import type { Objective } from "./objective.ts";

const probability = (name: string, value: string, factor: string, help: string): Objective => ({
  syntax: `${name}(LAYER:UNIT[@X,Y])`,
  help,
  takes: "place",
  visitsChannels: true,
  slot: ({ unit, row, column }) => [unit!, row, column],
  wgsl: {
    value: `
fn ${name}_value(item: u32, k: u32, t: vec4f) -> vec4f {
  let p = place(t) % AREA;
  var most = vec4f(-3.4e38);
  for (var block = 0u; block < BLOCKS; block++) {
    most = max(most, select(vec4f(-3.4e38), texel(item, block * AREA + p), channels_in(block)));
  }
  let top = max(max(most.x, most.y), max(most.z, most.w));
  var sum = vec4f();
  for (var block = 0u; block < BLOCKS; block++) {
    let at = block * AREA + p;
    let counts = select(vec4f(), vec4f(1.0) - select(vec4f(), lane_of(t), at == place(t)), channels_in(block));
    sum += counts * exp(texel(item, at) - top);
  }
  let others = sum.x + sum.y + sum.z + sum.w;
  let own = activation(item, t) - top;
  let total = exp(own) + others;
  return vec4f(${value}, top, total, others / total);
}`,
    touches: "own % AREA == place(t) % AREA",
    slope: `
fn ${name}_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f {
  let p = select(vec4f(), exp(texel(item, own) - m.y) / m.z, channels_in(own / AREA));
  let at = select(vec4f(), lane_of(t), own == place(t));
  return ${factor} * select(-p, vec4f(m.w), at > vec4f());
}`,
  },
});

/** The term `prob(LAYER:UNIT)`. */
export const prob: Objective = probability(
  "prob",
  "exp(own) / total",
  "m.x",
  "the softmax's probability of a unit",
);

/** The term `logprob(LAYER:UNIT)`. */
export const logprob: Objective = probability("logprob", "own - log(total)", "1.0", "its logarithm");
