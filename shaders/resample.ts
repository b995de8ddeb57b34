/**
 * Sums along one axis of an item, as a list says them for each position there:
 *
 *   y_o = Σ_k w_k · x_{p_k},   k over the terms of o
 *
 * Binding `terms` has a texel for each o, [where its terms begin, where they end, –, –], then one for each term,
 * [p_k, w_k, –, –]. The gradient is the same with another list: there an input sums over the outputs that read it.
 */
import { channelBlocks, LANE, vector } from "./texels.ts";
import { constants, plus } from "./wgsl.ts";

/** One axis: its lengths before and after, and the positions of a step along it (axis 0: of a map). */
export interface ResampleGeometry {
  axis: number;
  from: number;
  to: number;
  inner: number;
}

/** Bindings: x, terms, y. Texels pack axis 0, which is summed lane by lane. */
export function resample({ axis, from, to, inner }: ResampleGeometry): string {
  if (axis > 0) {
    return `
${constants({ FROM: from, TO: to, INNER: inner })}
fn kernel(i: u32) {
  let first = i / (TO * INNER) * (FROM * INNER) + i % INNER;
  let terms = load_terms(i / INNER % TO);
  var sum = vec4f();
  for (var k = u32(terms.x); k < u32(terms.y); k++) {
    let term = load_terms(k);
    sum += term.y * load_x(first + u32(term.x) * INNER);
  }
  store_y(i, sum);
}`;
  }
  return `${LANE}
${constants({ FROM_BLOCKS: channelBlocks(from), TO: to, TO_BLOCKS: channelBlocks(to), INNER: inner })}
fn value(first: u32, channel: u32) -> f32 {
  if (channel >= TO) { return 0.0; }
  let terms = load_terms(channel);
  var sum = 0.0;
  for (var k = u32(terms.x); k < u32(terms.y); k++) {
    let term = load_terms(k);
    let source = u32(term.x);
    sum += term.y * lane(load_x(first + source / 4u * INNER), source & 3u);
  }
  return sum;
}

fn kernel(i: u32) {
  let first = i / (TO_BLOCKS * INNER) * (FROM_BLOCKS * INNER) + i % INNER;
  let channel = i / INNER % TO_BLOCKS * 4u;
  store_y(i, ${vector((n) => `value(first, ${plus("channel", n)})`)});
}`;
}
