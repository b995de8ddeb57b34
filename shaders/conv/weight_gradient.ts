/**
 * Gradients to the weights of a convolution, in the blocks that its kernels read, and to its bias.
 *
 *   dw[o,i,tap] = Σ_n,p,q dy[n,o,p,q] · x[n,i, p·stride + tap_y·dilation − top, q·stride + tap_x·dilation − left]
 *
 * One invocation makes one 4×4 block over one chunk of the positions (n, p, q); a second kernel adds the chunks. A
 * block's entries between channels of different groups are made too and never read.
 */
import { type ConvGeometry, spans } from "./shape.ts";
import { channelBlocks } from "../texels.ts";
import { constants, signedConstants } from "../wgsl.ts";

/** Blocks of a geometry's weights. */
export function weightBlocks(g: ConvGeometry): number {
  return channelBlocks(g.channelsOut) * g.kernel[0] * g.kernel[1] * spans(g.channelsOut, g.channelsIn, g.groups).count;
}

/** Bindings: x, dy, dw (`chunks` times the weights' texels). One invocation a block and chunk of `size` positions. */
export function weightGradient(g: ConvGeometry, size: number): string {
  const span = spans(g.channelsOut, g.channelsIn, g.groups);
  return `
${
    constants({
      INPUT_BLOCKS: channelBlocks(g.channelsIn),
      INPUT_HEIGHT: g.inSize[0],
      INPUT_WIDTH: g.inSize[1],
      OUTPUT_BLOCKS: channelBlocks(g.channelsOut),
      OUTPUT_WIDTH: g.outSize[1],
      OUTPUT_HEIGHT: g.outSize[0],
      OUTPUT_AREA: g.outSize[0] * g.outSize[1],
      POSITIONS: g.batch * g.outSize[0] * g.outSize[1],
      CHUNK: size,
      KERNEL_WIDTH: g.kernel[1],
      TAPS: g.kernel[0] * g.kernel[1],
      STRIDE_Y: g.stride[0],
      STRIDE_X: g.stride[1],
      DILATION_Y: g.dilation[0],
      DILATION_X: g.dilation[1],
      WEIGHT_SPAN: span.count,
      WEIGHT_BLOCKS: weightBlocks(g),
    })
  }
${signedConstants({ PADDING_Y: g.padding[0], PADDING_X: g.padding[1] })}

fn firstInput(block: u32) -> u32 {
  return ${span.wgsl};
}

fn kernel(i: u32) {
  let r = i % WEIGHT_SPAN;
  let tap = i / WEIGHT_SPAN % TAPS;
  let block = i / (WEIGHT_SPAN * TAPS) % OUTPUT_BLOCKS;
  let start = i / WEIGHT_BLOCKS * CHUNK;
  let source = firstInput(block) + r;
  let shiftY = i32(tap / KERNEL_WIDTH * DILATION_Y) - PADDING_Y;
  let shiftX = i32(tap % KERNEL_WIDTH * DILATION_X) - PADDING_X;
  var fromX = vec4f();
  var fromY = vec4f();
  var fromZ = vec4f();
  var fromW = vec4f();
  for (var p = start; p < min(start + CHUNK, POSITIONS); p++) {
    let n = p / OUTPUT_AREA;
    let y = u32(i32(p / OUTPUT_WIDTH % OUTPUT_HEIGHT * STRIDE_Y) + shiftY);
    let x = u32(i32(p % OUTPUT_WIDTH * STRIDE_X) + shiftX);
    if (y < INPUT_HEIGHT && x < INPUT_WIDTH) {
      let v = load_x(((n * INPUT_BLOCKS + source) * INPUT_HEIGHT + y) * INPUT_WIDTH + x);
      let d = load_dy((n * OUTPUT_BLOCKS + block) * OUTPUT_AREA + p % OUTPUT_AREA);
      fromX += v.x * d;
      fromY += v.y * d;
      fromZ += v.z * d;
      fromW += v.w * d;
    }
  }
  store_dw(i * 4u, fromX);
  store_dw(i * 4u + 1u, fromY);
  store_dw(i * 4u + 2u, fromZ);
  store_dw(i * 4u + 3u, fromW);
}`;
}

/** Σ over the positions of each channel of maps. Bindings: dy, db. One invocation a channel block and chunk. */
export function biasGradient(blocks: number, area: number, positions: number, size: number): string {
  return `
${constants({ BLOCKS: blocks, AREA: area, POSITIONS: positions, CHUNK: size })}

fn kernel(i: u32) {
  let block = i % BLOCKS;
  let start = i / BLOCKS * CHUNK;
  var sum = vec4f();
  for (var p = start; p < min(start + CHUNK, POSITIONS); p++) {
    sum += load_dy((p / AREA * BLOCKS + block) * AREA + p % AREA);
  }
  store_db(i, sum);
}`;
}

/** total = Σ of `chunks` runs of `texels`. Bindings: parts, total. One invocation a texel of the total. */
export function sumChunks(chunks: number, texels: number): string {
  return `
${constants({ CHUNKS: chunks, TEXELS: texels })}

fn kernel(i: u32) {
  var sum = vec4f();
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    sum += load_parts(chunk * TEXELS + i);
  }
  store_total(i, sum);
}`;
}
