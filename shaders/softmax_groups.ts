/**
 * Softmax and its logarithm over the channels of each position, by a workgroup a position: its lanes take turns at the channels,
 * then add what they have as a tree. Where positions are few and channels many, one invocation a position (softmax.ts) would
 * leave a GPU idle.
 */
import { type SoftmaxGeometry, valid } from "./softmax.ts";
import { channelBlocks } from "./texels.ts";

/** A kernel of workgroups of `lanes` invocations, a power of two. */
export interface SoftmaxGroups extends SoftmaxGeometry {
  lanes: number;
  /** Of the logarithm. */
  log: boolean;
}

const head = ({ channels, area, lanes }: SoftmaxGroups) => `
const LANES = ${lanes}u;
const BLOCKS = ${channelBlocks(channels)}u;
const AREA = ${area}u;

var<workgroup> parts: array<vec4f, LANES>;

fn texel(position: u32, block: u32) -> u32 {
  return (position / AREA * BLOCKS + block) * AREA + position % AREA;
}`;

/** WGSL `NAME(lane, own)`: what all lanes' four values make together; every lane gets it. */
const together = (name: string, combine: (a: string, b: string) => string) => `
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
const eachBlock = "for (var block = lane; block < BLOCKS; block += LANES)";

/** Bindings: x, y. */
export function groupSoftmax(g: SoftmaxGroups): string {
  const finished = g.log ? "load_x(at) - peak - logTotal" : "exp(load_x(at) - peak) * share";
  return `${head(g)}
${valid(g)}
${largest}
${sum}

fn kernel(group: vec3u, lane: u32) {
  var top = vec4f(-3.4028234e38);
  ${eachBlock} { top = max(top, select(top, load_x(texel(group.x, block)), valid(block))); }
  let peak = largest(lane, top);
  var own = vec4f();
  ${eachBlock} { own += select(vec4f(), exp(load_x(texel(group.x, block)) - peak), valid(block)); }
  let total = sum(lane, own);
  ${g.log ? "let logTotal = log(total);" : "let share = 1.0 / total;"}
  ${eachBlock} {
    let at = texel(group.x, block);
    store_y(at, select(vec4f(), ${finished}, valid(block)));
  }
}`;
}

/** Bindings: y, dy, dx. */
export function groupSoftmaxGradient(g: SoftmaxGroups): string {
  const term = g.log ? "select(vec4f(), load_dy(at), valid(block))" : "load_y(at) * load_dy(at)";
  const finished = g.log ? "load_dy(at) - exp(load_y(at)) * all" : "load_y(at) * (load_dy(at) - all)";
  return `${head(g)}
${g.log ? valid(g) : ""}
${sum}

fn kernel(group: vec3u, lane: u32) {
  var own = vec4f();
  ${eachBlock} {
    let at = texel(group.x, block);
    own += ${term};
  }
  let all = sum(lane, own);
  ${eachBlock} {
    let at = texel(group.x, block);
    store_dx(at, ${finished});
  }
}`;
}
