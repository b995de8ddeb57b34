/**
 * Gradients to the weights of a convolution, in the blocks that its kernels read, and to its bias.
 *
 *   dw[o,i,tap] = Σ_n,p,q dy[n,o,p,q] · x[n,i, p·stride + tap_y·dilation − top, q·stride + tap_x·dilation − left]
 *
 * One invocation makes one 4×4 block over one chunk of the positions (n, p, q); a second kernel adds the chunks. A
 * block's entries between channels of different groups are made too and never read.
 */
import { type ConvGeometry, spans } from "./shape.ts";
import { up4 } from "../layout.ts";

/** Blocks of a geometry's weights. */
export function weightBlocks(g: ConvGeometry): number {
  return up4(g.channelsOut) * g.kernel[0] * g.kernel[1] * spans(g.channelsOut, g.channelsIn, g.groups).count;
}

/** Bindings: x, dy, dw (`chunks` times the weights' texels). One invocation a block and chunk of `size` positions. */
export function weightGradient(g: ConvGeometry, size: number): string {
  const [kh, kw] = g.kernel,
    [ih, iw] = g.inSize,
    [oh, ow] = g.outSize,
    span = spans(g.channelsOut, g.channelsIn, g.groups);
  return `
fn kernel(i: u32) {
  let r = i % ${span.count}u;
  let tap = i / ${span.count}u % ${kh * kw}u;
  let block = i / ${span.count * kh * kw}u % ${up4(g.channelsOut)}u;
  let start = i / ${weightBlocks(g)}u * ${size}u;
  let source = ${span.wgsl} + r;
  let shiftY = i32(tap / ${kw}u * ${g.dilation[0]}u) - ${g.padding[0]};
  let shiftX = i32(tap % ${kw}u * ${g.dilation[1]}u) - ${g.padding[1]};
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  for (var p = start; p < min(start + ${size}u, ${g.batch * oh * ow}u); p++) {
    let n = p / ${oh * ow}u;
    let y = i32(p / ${ow}u % ${oh}u * ${g.stride[0]}u) + shiftY;
    let x = i32(p % ${ow}u * ${g.stride[1]}u) + shiftX;
    if (u32(y) < ${ih}u && u32(x) < ${iw}u) {
      let v = load_x(((n * ${up4(g.channelsIn)}u + source) * ${ih}u + u32(y)) * ${iw}u + u32(x));
      let d = load_dy((n * ${up4(g.channelsOut)}u + block) * ${oh * ow}u + p % ${oh * ow}u);
      sum0 += v.x * d; sum1 += v.y * d; sum2 += v.z * d; sum3 += v.w * d;
    }
  }
  store_dw(i * 4u, sum0); store_dw(i * 4u + 1u, sum1); store_dw(i * 4u + 2u, sum2); store_dw(i * 4u + 3u, sum3);
}`;
}

/** Σ over the positions of each channel of maps. Bindings: dy, db. One invocation a channel block and chunk. */
export function biasGradient(blocks: number, area: number, positions: number, size: number): string {
  return `
fn kernel(i: u32) {
  let block = i % ${blocks}u;
  let start = i / ${blocks}u * ${size}u;
  var sum = vec4f();
  for (var p = start; p < min(start + ${size}u, ${positions}u); p++) {
    sum += load_dy((p / ${area}u * ${blocks}u + block) * ${area}u + p % ${area}u);
  }
  store_db(i, sum);
}`;
}

/** total = Σ of `chunks` runs of `texels`. Bindings: parts, total. One invocation a texel of the total. */
export function sumChunks(chunks: number, texels: number): string {
  return `
fn kernel(i: u32) {
  var sum = vec4f();
  for (var c = 0u; c < ${chunks}u; c++) { sum += load_parts(c * ${texels}u + i); }
  store_total(i, sum);
}`;
}
