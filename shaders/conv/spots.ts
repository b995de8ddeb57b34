/**
 * The data gradient of a convolution whose dy is zero but at a few spots: each of them adds the weights of its output, as far as
 * the kernel's window there reaches.
 *
 *   dx[n,i,y,x] = Σ_k value_k · w[o_k, i, (y + top − p_k · stride_y) / dilation_y, (x + left − q_k · stride_x) / dilation_x]
 *
 * over the spots k of item n, at output o_k and position p_k, q_k. Of a fully connected layer that is a sum of a few rows of its
 * matrix, the only ones that are read. One invocation makes a texel of dx.
 */
import { wgsl } from "wgsl-preprocessor";
import { weightBlock, type WeightFormat } from "./blocks.ts";
import { type ConvGeometry, spans } from "./shape.ts";
import { channelBlocks } from "../texels.ts";
import { constants, signedConstants } from "../wgsl.ts";

/** What a kernel of spots is made for. */
export interface SpotsKernel {
  geometry: ConvGeometry;
  format: WeightFormat;
  /** Spots of an item. */
  count: number;
  /** WGSL of `beginSpots` and `spot`, which say where they are (src/ops/spots.ts). */
  code: string;
}

/** Texels of dx. */
export const spotsInvocations = ({ batch, channelsIn, inSize }: ConvGeometry): number =>
  batch * channelBlocks(channelsIn) * inSize[0] * inSize[1];

/** Bindings: w, `scale` for i8, dx, and those of the spots. */
export function convSpots({ geometry: g, format, count, code }: SpotsKernel): string {
  const weightSpans = spans(g.channelsOut, g.channelsIn, g.groups);
  return wgsl`
${
    constants({
      SPOTS: count,
      BLOCKS: channelBlocks(g.channelsIn),
      HEIGHT: g.inSize[0],
      WIDTH: g.inSize[1],
      OUT_HEIGHT: g.outSize[0],
      OUT_WIDTH: g.outSize[1],
      TAPS: g.kernel[0] * g.kernel[1],
      WEIGHT_SPAN: weightSpans.count,
    })
  }
${
    signedConstants({
      KERNEL_HEIGHT: g.kernel[0],
      KERNEL_WIDTH: g.kernel[1],
      STRIDE_Y: g.stride[0],
      STRIDE_X: g.stride[1],
      DILATION_Y: g.dilation[0],
      DILATION_X: g.dilation[1],
      PADDING_Y: g.padding[0],
      PADDING_X: g.padding[1],
    })
  }

${weightBlock[format]}

${code}

fn firstInput(block: u32) -> u32 {
  return ${weightSpans.wgsl};
}

fn kernel(i: u32) {
  let item = i / (BLOCKS * HEIGHT * WIDTH);
  let block = i / (HEIGHT * WIDTH) % BLOCKS;
  let y = i32(i / WIDTH % HEIGHT) + PADDING_Y;
  let x = i32(i % WIDTH) + PADDING_X;
  beginSpots(item, i % (BLOCKS * HEIGHT * WIDTH) == 0u);
  var sum = vec4f();
  for (var k = 0u; k < SPOTS; k++) {
    let own = spot(item, k);
    let texel = own.index / 4u;
    let output = texel / (OUT_HEIGHT * OUT_WIDTH);
    let r = block - firstInput(output);
    let tapY = (y - i32(texel / OUT_WIDTH % OUT_HEIGHT) * STRIDE_Y) / DILATION_Y;
    let tapX = (x - i32(texel % OUT_WIDTH) * STRIDE_X) / DILATION_X;
    let met = tapY * DILATION_Y == y - i32(texel / OUT_WIDTH % OUT_HEIGHT) * STRIDE_Y &&
      tapX * DILATION_X == x - i32(texel % OUT_WIDTH) * STRIDE_X &&
      tapY >= 0 && tapY < KERNEL_HEIGHT && tapX >= 0 && tapX < KERNEL_WIDTH;
    if (met && own.value != 0.0 && r < WEIGHT_SPAN) {
      var dy = select(vec4f(), vec4f(own.value), vec4u(0u, 1u, 2u, 3u) == vec4u(own.index & 3u));
      #if ${format === "i8"}
      dy *= load_scale(output);
      #endif
      sum += dy * weightBlock((output * TAPS + u32(tapY * KERNEL_WIDTH + tapX)) * WEIGHT_SPAN + r);
    }
  }
  store_dx(i, sum);
}`;
}
