/**
 * A Gaussian blur of codes that are maps, along rows and then along columns, in steps that are due:
 *
 *   y_p = Σ_d w_d x_{p + d},   w_d ∝ exp(−d² / 2σ²),   |d| ≤ 4σ
 *
 * Past an edge the map shows itself mirrored (… b a | a b …), as SciPy's gaussian_filter does.
 */
import { stateCode } from "./state.ts";
import type { CodeGeometry } from "./step.ts";

/** The codes' blur. */
export interface BlurGeometry extends CodeGeometry {
  size: readonly [number, number];
  sigma: number;
  /** It is due in the first step and in each `every`-th after it. */
  every: number;
}

/** The weights of the places from −r to r. */
function weights(sigma: number): { place: number; weight: number }[] {
  const reach = Math.floor(4 * sigma + 0.5);
  const places = Array.from({ length: 2 * reach + 1 }, (_, n) => n - reach);
  const bells = places.map((d) => Math.exp(-((d / sigma) ** 2) / 2));
  const sum = bells.reduce((a, b) => a + b, 0);
  return places.map((place, n) => ({ place, weight: bells[n] / sum }));
}

const common = ({ items, size: [h, w], every }: BlurGeometry, state: readonly string[]) => `
${stateCode(state)}
const HEIGHT = ${h};
const WIDTH = ${w};

// Whether the step that was just made ends in a blur: none does where it did not move.
fn due(item: u32) -> bool {
  let done = u32(state_of(item).iteration) - 1u;
  return done % ${every}u == 0u && load_slopes(done * ${items}u + item).x > 0.0;
}

fn mirrored(p: i32, size: i32) -> i32 {
  let q = (p % (2 * size) + 2 * size) % (2 * size);
  return min(q, 2 * size - 1 - q);
}`;

const sum = (sigma: number, at: (place: number) => string): string =>
  weights(sigma).map(({ place, weight }) => `sum += ${weight} * ${at(place)};`).join("\n  ");

/** Bindings: code, state, slopes, and what is made, blurred. One invocation a texel. */
export function blurRows(geometry: BlurGeometry, state: readonly string[]): string {
  return `${common(geometry, state)}

fn kernel(i: u32) {
  if (!due(i / ${geometry.texels}u)) {
    store_blurred(i, load_code(i));
    return;
  }
  let x = i32(i % u32(WIDTH));
  let row = i - u32(x);
  var sum = vec4f();
  ${sum(geometry.sigma, (d) => `load_code(row + u32(mirrored(x + ${d}, WIDTH)))`)}
  store_blurred(i, sum);
}`;
}

/** Bindings: blurred, state, slopes, bound, code, input. `finish` are statements on `code`, as priors are. */
export function blurColumns(geometry: BlurGeometry, state: readonly string[], finish: readonly string[]): string {
  return `${common(geometry, state)}

fn kernel(i: u32) {
  let own = i % ${geometry.texels}u;
  let s = state_of(i / ${geometry.texels}u);
  var code = load_blurred(i);
  if (due(i / ${geometry.texels}u)) {
    let y = i32(i / u32(WIDTH) % u32(HEIGHT));
    let top = i - u32(y * WIDTH);
    var sum = vec4f();
    ${sum(geometry.sigma, (d) => `load_blurred(top + u32(mirrored(y + ${d}, HEIGHT) * WIDTH))`)}
    code = sum;
  }
  ${finish.join("\n  ")}
  store_code(i, code);
  store_input(i, code);
}`;
}
