/**
 * Resizing of maps by interpolation, pixels being areas (as PyTorch's interpolate with align_corners off, ONNX's half_pixel):
 *
 *   y_o = Σ_d w_d(f) x_{s + d},   s + f = (o + 1/2) · in / out − 1/2,  s whole, 0 ≤ f < 1
 *
 * along both axes, positions past the edge showing the edge. Nothing smooths what shrinks. The gradient gathers: each input position
 * sums over the outputs that read it. Positions are fractions of whole numbers, so that f is rounded once, and the cubic's weights are
 * products in f, for the sums that they are written as elsewhere, in powers of 1 + f, cancel to a few of 10⁻⁷.
 */

/** How values between pixels are made: from two of them along each axis, or from four by the cubic with A = −3/4. */
export type Interpolation = "bilinear" | "bicubic";

/** One resize; one invocation makes a texel. */
export interface ResizeGeometry {
  inSize: readonly [number, number];
  outSize: readonly [number, number];
  method: Interpolation;
}

/** The first and the last neighbour that a position reads, counted from the one below it. */
export const neighbours = (method: Interpolation): readonly [number, number] =>
  method === "bilinear" ? [0, 1] : [-1, 2];

const weightCode = {
  bilinear: `
fn weight(d: i32, f: f32) -> f32 { return select(f, 1.0 - f, d == 0); }`,
  bicubic: `
const A = -0.75;
fn near(f: f32) -> f32 { return (1.0 - f) * (1.0 + f - (A + 2.0) * f * f); }
fn far(f: f32) -> f32 { return A * f * (1.0 - f) * (1.0 - f); }
fn weight(d: i32, f: f32) -> f32 {
  if (d == -1) { return far(f); }
  if (d == 0) { return near(f); }
  if (d == 1) { return near(1.0 - f); }
  return far(1.0 - f);
}`,
};

const common = ({ inSize: [h, w], outSize: [oh, ow], method }: ResizeGeometry) => `
const HEIGHT = ${h};
const WIDTH = ${w};
const OUT_HEIGHT = ${oh};
const OUT_WIDTH = ${ow};
${weightCode[method]}

struct Place {
  below: i32,
  fraction: f32,
}

fn place_of(o: i32, size: i32, out: i32) -> Place {
  let above = (2 * o + 1) * size + out;
  return Place(above / (2 * out) - 1, f32(above % (2 * out)) / f32(2 * out));
}`;

/** The offsets of a position's neighbours. */
const offsets = (method: Interpolation): number[] => {
  const [first, last] = neighbours(method);
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
};

/** y from x. Bindings: x, y. */
export function resize(geometry: ResizeGeometry): string {
  const columns = offsets(geometry.method).map((d) =>
    `weight(${d}, x.fraction) * load_x(first + u32(clamp(x.below + ${d}, 0, WIDTH - 1)))`
  );
  return `${common(geometry)}

fn row(map: u32, y: i32, x: Place) -> vec4f {
  let first = (map * u32(HEIGHT) + u32(clamp(y, 0, HEIGHT - 1))) * u32(WIDTH);
  return ${columns.join(" +\n    ")};
}

fn kernel(i: u32) {
  let map = i / u32(OUT_HEIGHT * OUT_WIDTH);
  let y = place_of(i32(i / u32(OUT_WIDTH) % u32(OUT_HEIGHT)), HEIGHT, OUT_HEIGHT);
  let x = place_of(i32(i % u32(OUT_WIDTH)), WIDTH, OUT_WIDTH);
  store_y(i, ${
    offsets(geometry.method).map((d) => `weight(${d}, y.fraction) * row(map, y.below + ${d}, x)`).join(" +\n    ")
  });
}`;
}

/** dx from dy. Bindings: dy, dx. */
export function resizeGradient(geometry: ResizeGeometry): string {
  const [first, last] = neighbours(geometry.method);
  return `${common(geometry)}

// The least o ≥ 0 whose position is at least t.
fn least(t: i32, size: i32, out: i32) -> i32 {
  let above = out * (1 + 2 * t) - size;
  return select((above + 2 * size - 1) / (2 * size), 0, above <= 0);
}

// What output o takes of input i.
fn share(o: i32, i: i32, size: i32, out: i32) -> f32 {
  let p = place_of(o, size, out);
  var sum = 0.0;
  ${
    offsets(geometry.method).map((d) =>
      `if (clamp(p.below + ${d}, 0, size - 1) == i) { sum += weight(${d}, p.fraction); }`
    ).join("\n  ")
  }
  return sum;
}

fn kernel(i: u32) {
  let map = i / u32(HEIGHT * WIDTH);
  let y = i32(i / u32(WIDTH) % u32(HEIGHT));
  let x = i32(i % u32(WIDTH));
  let endY = min(least(y + ${1 - first}, HEIGHT, OUT_HEIGHT), OUT_HEIGHT);
  let endX = min(least(x + ${1 - first}, WIDTH, OUT_WIDTH), OUT_WIDTH);
  var sum = vec4f();
  for (var oy = least(y - ${last}, HEIGHT, OUT_HEIGHT); oy < endY; oy++) {
    let down = share(oy, y, HEIGHT, OUT_HEIGHT);
    for (var ox = least(x - ${last}, WIDTH, OUT_WIDTH); ox < endX; ox++) {
      sum += down * share(ox, x, WIDTH, OUT_WIDTH) * load_dy((map * u32(OUT_HEIGHT) + u32(oy)) * u32(OUT_WIDTH) + u32(ox));
    }
  }
  store_dx(i, sum);
}`;
}
