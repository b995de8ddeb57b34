/**
 * Pooling over windows of the padded image, and the gradients as gathers: each input position sums over the windows
 * that hold it. Maximum pooling keeps which of its positions won (the first of equals), numbered row by row, so that
 * its gradient is a comparison; positions in the padding never win.
 */
import { wgsl } from "wgsl-preprocessor";
import { doubleFloat, storeDouble } from "./double_float.ts";

/** One pooling layer; one invocation handles one texel. */
export interface PoolGeometry {
  inSize: readonly [number, number];
  outSize: readonly [number, number];
  kernel: readonly [number, number];
  stride: readonly [number, number];
  /** top, left, bottom, right */
  padding: readonly [number, number, number, number];
  /** Positions between neighbours of a window. */
  dilation: readonly [number, number];
  /** Average only: divide by the window's area inside image and padding, not inside the image. */
  countPadding: boolean;
}

/** Loop trips along a row are taken four at a time, so that a window over a large image stays within any loop limit. */
const ROW_STEP = 4;

/** WGSL function `share(oy, ox)`: 1 / the number of positions that the window's average counts. */
function share(g: PoolGeometry): string {
  const [h, w] = g.inSize;
  const [top, left, bottom, right] = g.padding;
  const low = g.countPadding ? [-top, -left] : [0, 0];
  const high = g.countPadding ? [h + bottom, w + right] : [h, w];
  // Of the positions from + k · dilation, those in low … high − 1.
  const counted = (from: string, a: number) => {
    const d = g.dilation[a];
    const first = `(max(${low[a]} - ${from}, 0) + ${d - 1}) / ${d}`;
    return `min(${g.kernel[a] - 1}, (${high[a] - 1} - ${from}) / ${d}) - ${first} + 1`;
  };
  return `
fn share(oy: i32, ox: i32) -> f32 {
  let y = oy * ${g.stride[0]} - ${top};
  let x = ox * ${g.stride[1]} - ${left};
  return 1.0 / f32(max((${counted("y", 0)}) * (${counted("x", 1)}), 1));
}`;
}

/**
 * Bindings: x, y, and `argmax` where `keep`; in double-float arithmetic, whose values have a rest, also x_rest and y_rest,
 * with whatever ReLU y has to go through.
 */
export function maxPool(g: PoolGeometry, keep: boolean, double?: { relu?: { slope: number } }): string {
  return wgsl`${double ? doubleFloat : ""}${
    windowLoop(
      g,
      `
        ${
        double
          ? "let r = load_x_rest(at); let better = (v > best) | ((v == best) & (r > rest));"
          : "let better = v > best;"
      }
        best = select(best, v, better);
        ${double ? "rest = select(rest, r, better);" : ""}
        arg = select(arg, vec4f(f32(ky * ${g.kernel[1]} + kx)), better);`,
      `var best = vec4f(-3.4028234e38); var arg = vec4f(-1.0);${
        double ? " var rest = vec4f(); hideOnes(load_x(0u));" : ""
      }`,
    )
  }
  ${double ? storeDouble("i", "Double(best, rest)", double.relu) : "store_y(i, best);"}
  #if ${keep}
  store_argmax(i, arg);
  #endif
}`;
}

/** Bindings: x, y. */
export function averagePool(g: PoolGeometry): string {
  return `${share(g)}
${windowLoop(g, "line += v;", "var sum = vec4f(); var line = vec4f();", "sum += line; line = vec4f();")}
  store_y(i, sum * share(oy, ox));
}`;
}

/** Visits each value v of a window, row by row; sums are taken by row first, so that large windows stay precise. */
function windowLoop(g: PoolGeometry, visit: string, start: string, endRow = ""): string {
  const [h, w] = g.inSize;
  const [oh, ow] = g.outSize;
  const columns = Array.from({ length: Math.min(ROW_STEP, g.kernel[1]) }, (_, u) =>
    `{
      let kx = k + ${u};
      let ix = ox * ${g.stride[1]} - ${g.padding[1]} + kx${times(g.dilation[1])};
      if (kx < ${g.kernel[1]} && u32(ix) < ${w}u) {
        let at = row + u32(ix);
        let v = load_x(at);
        ${visit}
      }
    }`);
  return `
fn kernel(i: u32) {
  let map = i / ${oh * ow}u;
  let oy = i32(i / ${ow}u % ${oh}u);
  let ox = i32(i % ${ow}u);
  ${start}
  for (var ky = 0; ky < ${g.kernel[0]}; ky++) {
    let iy = oy * ${g.stride[0]} - ${g.padding[0]} + ky${times(g.dilation[0])};
    if (u32(iy) >= ${h}u) { continue; }
    let row = (map * ${h}u + u32(iy)) * ${w}u;
    for (var k = 0; k < ${g.kernel[1]}; k += ${ROW_STEP}) {
    ${columns.join("\n    ")}
    }
    ${endRow}
  }`;
}

const times = (factor: number): string => factor === 1 ? "" : ` * ${factor}`;

/** Bindings: dy, dx, and `argmax` for the gradient of maximum pooling (`average` false). */
export function poolGradient(g: PoolGeometry, average: boolean): string {
  const [h, w] = g.inSize;
  const [oh, ow] = g.outSize;
  const [ky, kx] = g.kernel;
  const [sy, sx] = g.stride;
  const [dy, dx] = g.dilation;
  const [reachY, reachX] = [dy * (ky - 1) + 1, dx * (kx - 1) + 1];
  const taps = [[dy, "gapY"], [dx, "gapX"]].flatMap(([d, gap]) => d === 1 ? [] : [` && ${gap} % ${d} == 0`]).join("");
  const tap = (gap: string, d: number) => d === 1 ? gap : `${gap} / ${d}`;
  return wgsl`${average ? share(g) : ""}
fn kernel(i: u32) {
  let map = i / ${h * w}u;
  let y = i32(i / ${w}u % ${h}u) + ${g.padding[0]};
  let x = i32(i % ${w}u) + ${g.padding[1]};
  let lastY = min(y / ${sy}, ${oh - 1});
  let lastX = min(x / ${sx}, ${ow - 1});
  var sum = vec4f();
  for (var oy = max(0, (y - ${reachY - sy}) / ${sy}); oy <= lastY; oy++) {
    for (var ox = max(0, (x - ${reachX - sx}) / ${sx}); ox <= lastX; ox++) {
      let at = (map * ${oh}u + u32(oy)) * ${ow}u + u32(ox);
      let gapY = y - oy * ${sy};
      let gapX = x - ox * ${sx};
      let inside = gapY < ${reachY} && gapX < ${reachX}${taps};
      #if ${average}
      sum += select(0.0, share(oy, ox), inside) * load_dy(at);
      #else
      let me = f32(${tap("gapY", dy)} * ${kx} + ${tap("gapX", dx)});
      sum += select(vec4f(), load_dy(at), vec4<bool>(inside) & (load_argmax(at) == vec4f(me)));
      #endif
    }
  }
  store_dx(i, sum);
}`;
}
