/**
 * Pooling over windows of the padded image, and the gradients as gathers: each input position sums over the windows
 * that hold it. Maximum pooling keeps which of its positions won (the first of equals), numbered row by row, so that
 * its gradient is a comparison; positions in the padding never win.
 *
 * A row of a window is taken four positions to a loop trip, so that a window over a large image stays within any loop limit.
 * Of a kernel that is three wide one trip is written, with three positions:
 *
 *   { let kx = k; … visit v … }   { let kx = k + 1; … visit v … }   { let kx = k + 2; … visit v … }
 */
import { wgsl } from "wgsl-preprocessor";
import { doubleFloat, storeDouble } from "./double_float.ts";
import { LOWEST } from "./texels.ts";
import { constants, plus, signedConstants, unroll } from "./wgsl.ts";

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

/** Positions of a window's row in one loop trip. */
const ROW_STEP = 4;

/** The constants of a layer's kernels. A window reaches over REACH positions of the image. */
function sizes({ inSize, outSize, kernel: [ky, kx], stride, padding, dilation: [dy, dx] }: PoolGeometry): string {
  return `
${constants({ HEIGHT: inSize[0], WIDTH: inSize[1], OUT_HEIGHT: outSize[0], OUT_WIDTH: outSize[1] })}
${signedConstants({ KERNEL_HEIGHT: ky, KERNEL_WIDTH: kx, STRIDE_Y: stride[0], STRIDE_X: stride[1] })}
${signedConstants({ PADDING_Y: padding[0], PADDING_X: padding[1], DILATION_Y: dy, DILATION_X: dx })}
${signedConstants({ REACH_Y: dy * (ky - 1) + 1, REACH_X: dx * (kx - 1) + 1, ROW_STEP })}`;
}

/** WGSL function `share(oy, ox)`: 1 / the number of positions that the window's average counts. */
function share({ inSize: [h, w], padding: [top, left, bottom, right], countPadding }: PoolGeometry): string {
  const [first, end] = countPadding ? [[-top, -left], [h + bottom, w + right]] : [[0, 0], [h, w]];
  return `
${signedConstants({ FIRST_Y: first[0], FIRST_X: first[1], END_Y: end[0], END_X: end[1] })}
fn counted(start: i32, first: i32, end: i32, taps: i32, dilation: i32) -> i32 {
  let before = (max(first - start, 0) + dilation - 1) / dilation;
  return min(taps - 1, (end - 1 - start) / dilation) - before + 1;
}

fn share(oy: i32, ox: i32) -> f32 {
  let rows = counted(oy * STRIDE_Y - PADDING_Y, FIRST_Y, END_Y, KERNEL_HEIGHT, DILATION_Y);
  let columns = counted(ox * STRIDE_X - PADDING_X, FIRST_X, END_X, KERNEL_WIDTH, DILATION_X);
  return 1.0 / f32(max(rows * columns, 1));
}`;
}

/**
 * Bindings: x, y, and `argmax` where `keep`; in double-float arithmetic, whose values have a rest, also x_rest and y_rest,
 * with whatever ReLU y has to go through.
 */
export function maxPool(g: PoolGeometry, keep: boolean, double?: { relu?: { slope: number } }): string {
  const visit = wgsl`
        #if ${double}
        let r = load_x_rest(at);
        let better = (v > best) | ((v == best) & (r > rest));
        rest = select(rest, r, better);
        #else
        let better = v > best;
        #endif
        best = select(best, v, better);
        winner = select(winner, vec4f(f32(ky * KERNEL_WIDTH + kx)), better);`;
  return wgsl`${double ? doubleFloat : ""}${sizes(g)}
${LOWEST}

fn kernel(i: u32) {
  var best = LOWEST;
  var winner = vec4f(-1.0);
  #if ${double}
  var rest = vec4f();
  hideOnes(load_x(0u));
  #endif
  ${windowLoop(g, visit)}
  ${double ? storeDouble("i", "Double(best, rest)", double.relu) : "store_y(i, best);"}
  #if ${keep}
  store_argmax(i, winner);
  #endif
}`;
}

/** Bindings: x, y. Sums are taken by row first, so that large windows stay precise. */
export function averagePool(g: PoolGeometry): string {
  return `${sizes(g)}
${share(g)}

fn kernel(i: u32) {
  var sum = vec4f();
  var line = vec4f();
  ${windowLoop(g, "line += v;", "sum += line;\n    line = vec4f();")}
  store_y(i, sum * share(oy, ox));
}`;
}

/** Visits each value v of the window of texel i, row by row. */
function windowLoop({ kernel }: PoolGeometry, visit: string, endRow = ""): string {
  const positions = unroll({ n: Math.min(ROW_STEP, kernel[1]) }, ({ n }) => `
      {
        let kx = ${plus("k", n, "")};
        let ix = ox * STRIDE_X - PADDING_X + kx * DILATION_X;
        if (kx < KERNEL_WIDTH && u32(ix) < WIDTH) {
          let at = row + u32(ix);
          let v = load_x(at);
          ${visit}
        }
      }`);
  return `
  let map = i / (OUT_HEIGHT * OUT_WIDTH);
  let oy = i32(i / OUT_WIDTH % OUT_HEIGHT);
  let ox = i32(i % OUT_WIDTH);
  for (var ky = 0; ky < KERNEL_HEIGHT; ky++) {
    let iy = oy * STRIDE_Y - PADDING_Y + ky * DILATION_Y;
    if (u32(iy) >= HEIGHT) { continue; }
    let row = (map * HEIGHT + u32(iy)) * WIDTH;
    for (var k = 0; k < KERNEL_WIDTH; k += ROW_STEP) {${positions}
    }
    ${endRow}
  }`;
}

/** Bindings: dy, dx, and `argmax` for the gradient of maximum pooling (`average` false). */
export function poolGradient(g: PoolGeometry, average: boolean): string {
  return wgsl`${sizes(g)}
${average ? share(g) : ""}

fn kernel(i: u32) {
  let map = i / (HEIGHT * WIDTH);
  let y = i32(i / WIDTH % HEIGHT) + PADDING_Y;
  let x = i32(i % WIDTH) + PADDING_X;
  let lastY = min(y / STRIDE_Y, i32(OUT_HEIGHT) - 1);
  let lastX = min(x / STRIDE_X, i32(OUT_WIDTH) - 1);
  var sum = vec4f();
  for (var oy = max(0, (y - REACH_Y + STRIDE_Y) / STRIDE_Y); oy <= lastY; oy++) {
    for (var ox = max(0, (x - REACH_X + STRIDE_X) / STRIDE_X); ox <= lastX; ox++) {
      let at = (map * OUT_HEIGHT + u32(oy)) * OUT_WIDTH + u32(ox);
      let gapY = y - oy * STRIDE_Y;
      let gapX = x - ox * STRIDE_X;
      let inside = gapY < REACH_Y && gapX < REACH_X && gapY % DILATION_Y == 0 && gapX % DILATION_X == 0;
      #if ${average}
      sum += select(0.0, share(oy, ox), inside) * load_dy(at);
      #else
      let own = f32(gapY / DILATION_Y * KERNEL_WIDTH + gapX / DILATION_X);
      sum += select(vec4f(), load_dy(at), vec4<bool>(inside) & (load_argmax(at) == vec4f(own)));
      #endif
    }
  }
  store_dx(i, sum);
}`;
}
