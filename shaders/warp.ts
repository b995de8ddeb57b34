/**
 * A map turned, scaled and shifted: output position o shows the input at
 *
 *   s(o) = c + R (o − c) + t,   R = [[a, −b], [b, a]],   c the centre,   y_o = Σ_p hat(s_x − p_x) hat(s_y − p_y) x_p
 *
 * with hat(d) = max(0, 1 − |d|): bilinear. a, b and t are an item's own numbers. Past the edges everything is zero, or the map
 * once more. The gradient gathers: an input position sums over the outputs around s⁻¹ of it, and with wrapped edges of each of its
 * repetitions that an output may see.
 */

/** What shows past the edges. */
export type Edges = "zero" | "wrap";

/** One warp; an invocation makes a texel. */
export interface WarpGeometry {
  /** Texels of a position: channels by four. */
  blocks: number;
  size: readonly [number, number];
  edges: Edges;
}

/** The gradient looks so many positions around for those that read it: all, where a is at least a forty-fifth. */
const MOST_REACH = 64;

const common = ({ blocks, size: [h, w] }: WarpGeometry) => `
const BLOCKS = ${blocks}u;
const HEIGHT = ${h};
const WIDTH = ${w};
const SIZE = vec2i(WIDTH, HEIGHT);
const CENTRE = 0.5 * vec2f(f32(WIDTH - 1), f32(HEIGHT - 1));

// An item's numbers: a, b, and t.
fn view_of(i: u32) -> vec4f { return load_view(i / (BLOCKS * u32(HEIGHT * WIDTH))); }

fn turned(v: vec2f, by: vec2f) -> vec2f { return vec2f(by.x * v.x - by.y * v.y, by.y * v.x + by.x * v.y); }

fn source(o: vec2i, view: vec4f) -> vec2f { return CENTRE + turned(vec2f(o) - CENTRE, view.xy) + view.zw; }

fn position(i: u32) -> vec2i {
  return vec2i(i32(i % u32(WIDTH)), i32(i / u32(WIDTH) % u32(HEIGHT)));
}`;

/** WGSL of the input at a position that may lie past the edges. */
const past = {
  zero: `
fn at(map: u32, p: vec2i) -> vec4f {
  if (any(p < vec2i()) || any(p >= SIZE)) { return vec4f(); }
  return load_x((map * u32(HEIGHT) + u32(p.y)) * u32(WIDTH) + u32(p.x));
}`,
  wrap: `
fn at(map: u32, p: vec2i) -> vec4f {
  let q = (p % SIZE + SIZE) % SIZE;
  return load_x((map * u32(HEIGHT) + u32(q.y)) * u32(WIDTH) + u32(q.x));
}`,
};

/** y from x. Bindings: x, view, y. */
export function warp(geometry: WarpGeometry): string {
  return `${common(geometry)}
${past[geometry.edges]}

fn kernel(i: u32) {
  let map = i / u32(HEIGHT * WIDTH);
  let s = source(position(i), view_of(i));
  let below = floor(s);
  let f = s - below;
  let p = vec2i(below);
  let upper = mix(at(map, p), at(map, p + vec2i(1, 0)), f.x);
  let lower = mix(at(map, p + vec2i(0, 1)), at(map, p + vec2i(1, 1)), f.x);
  store_y(i, mix(upper, lower, f.y));
}`;
}

/** WGSL of the sum over the repetitions of a position that outputs may see. */
const repetitions = {
  zero: `
  let sum = around(map, vec2f(p), view);`,
  wrap: `
  let half = vec2f(abs(view.x) * CENTRE.x + abs(view.y) * CENTRE.y, abs(view.y) * CENTRE.x + abs(view.x) * CENTRE.y) + 1.0;
  let first = vec2i(ceil((CENTRE + view.zw - half - vec2f(p)) / vec2f(SIZE)));
  let last = vec2i(floor((CENTRE + view.zw + half - vec2f(p)) / vec2f(SIZE)));
  var sum = vec4f();
  for (var ky = first.y; ky <= last.y; ky++) {
    for (var kx = first.x; kx <= last.x; kx++) { sum += around(map, vec2f(p + vec2i(kx, ky) * SIZE), view); }
  }`,
};

/** dx from dy. Bindings: dy, view, dx. */
export function warpGradient(geometry: WarpGeometry): string {
  return `${common(geometry)}

// Σ dy over the outputs that read position p, each by its share.
fn around(map: u32, p: vec2f, view: vec4f) -> vec4f {
  let squared = dot(view.xy, view.xy);
  let back = vec2f(view.x, -view.y) / max(squared, 1e-20);
  let middle = clamp(CENTRE + turned(p - CENTRE - view.zw, back), vec2f(-1e6), vec2f(1e6));
  let reach = min((abs(view.x) + abs(view.y)) / max(squared, 1e-20) + 1e-3, ${MOST_REACH}.0);
  let first = max(vec2i(ceil(middle - reach)), vec2i());
  let last = min(vec2i(floor(middle + reach)), SIZE - 1);
  var sum = vec4f();
  for (var y = first.y; y <= last.y; y++) {
    for (var x = first.x; x <= last.x; x++) {
      let hats = max(vec2f(), 1.0 - abs(source(vec2i(x, y), view) - p));
      sum += hats.x * hats.y * load_dy((map * u32(HEIGHT) + u32(y)) * u32(WIDTH) + u32(x));
    }
  }
  return sum;
}

fn kernel(i: u32) {
  let map = i / u32(HEIGHT * WIDTH);
  let p = position(i);
  let view = view_of(i);
${repetitions[geometry.edges]}
  store_dx(i, sum);
}`;
}
