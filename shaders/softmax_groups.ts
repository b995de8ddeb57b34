/**
 * Softmax and its logarithm over the channels of each position, by a workgroup a position: its lanes take turns at the channels,
 * then add what they have as a tree. Where positions are few and channels many, one invocation a position (softmax.ts) would
 * leave a GPU idle.
 */
import { wgsl } from "wgsl-preprocessor";
import { layout, type SoftmaxGeometry } from "./softmax.ts";
import { constants } from "./wgsl.ts";

/** A kernel of workgroups of `lanes` invocations, a power of two. */
export interface SoftmaxGroups extends SoftmaxGeometry {
  lanes: number;
  /** Of the logarithm. */
  log: boolean;
}

const head = (g: SoftmaxGroups): string =>
  `${layout(g)}
${constants({ LANES: g.lanes })}

var<workgroup> parts: array<vec4f, LANES>;`;

/** WGSL `NAME(lane, own)`: what all lanes' four values make together; every lane gets it. */
const together = (name: string, combine: (a: string, b: string) => string): string => `
fn ${name}(lane: u32, own: vec4f) -> f32 {
  workgroupBarrier();
  parts[lane] = own;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { parts[lane] = ${combine("parts[lane]", "parts[lane + half]")}; }
  }
  workgroupBarrier();
  let all = parts[0];
  return ${combine(combine("all.x", "all.y"), combine("all.z", "all.w"))};
}`;

const largest = together("largest", (a, b) => `max(${a}, ${b})`);
const sum = together("sum", (a, b) => `(${a} + ${b})`);

/** Bindings: x, y. */
export function groupSoftmax(g: SoftmaxGroups): string {
  return wgsl`${head(g)}
${largest}
${sum}

fn kernel(group: vec3u, lane: u32) {
  var top = LOWEST;
  for (var block = lane; block < BLOCKS; block += LANES) {
    top = max(top, select(top, load_x(texel(group.x, block)), channels_in(block)));
  }
  let peak = largest(lane, top);
  var own = vec4f();
  for (var block = lane; block < BLOCKS; block += LANES) {
    own += select(vec4f(), exp(load_x(texel(group.x, block)) - peak), channels_in(block));
  }
  let total = sum(lane, own);
  let share = 1.0 / total;
  let logTotal = log(total);
  for (var block = lane; block < BLOCKS; block += LANES) {
    let at = texel(group.x, block);
    #if ${g.log}
    let v = load_x(at) - peak - logTotal;
    #else
    let v = exp(load_x(at) - peak) * share;
    #endif
    store_y(at, select(vec4f(), v, channels_in(block)));
  }
}`;
}

/** Bindings: y, dy, dx. */
export function groupSoftmaxGradient(g: SoftmaxGroups): string {
  return wgsl`${head(g)}
${sum}

fn kernel(group: vec3u, lane: u32) {
  var own = vec4f();
  for (var block = lane; block < BLOCKS; block += LANES) {
    let at = texel(group.x, block);
    #if ${g.log}
    own += select(vec4f(), load_dy(at), channels_in(block));
    #else
    own += load_y(at) * load_dy(at);
    #endif
  }
  let all = sum(lane, own);
  for (var block = lane; block < BLOCKS; block += LANES) {
    let at = texel(group.x, block);
    #if ${g.log}
    store_dx(at, load_dy(at) - exp(load_y(at)) * all);
    #else
    store_dx(at, load_y(at) * (load_dy(at) - all));
    #endif
  }
}`;
}
