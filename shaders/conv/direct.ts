/**
 * Convolution in its direct direction: conv2d's output, and deconv2d's data gradient.
 *
 *   y[n,o,p,q] = Σ_taps Σ_i w[o,i,tap] · x[n,i, p·stride_y + tap_y·dilation_y − top, q·stride_x + tap_x·dilation_x − left]
 *
 * The source is x, the target y. Every tap meets every position, and a block of weights is used as it lies (blocks.ts):
 * four inputs by four outputs. Integer weights have a scale for each output, which waits until the sum is whole. Tiles are
 * those of places.ts and registers.ts.
 */
import { arithmeticOf } from "./arithmetic.ts";
import { gather, groupDeclarations, kernelHead } from "./groups.ts";
import { hasSpareColumns, tileFunctions } from "./places.ts";
import {
  addProducts,
  declarePlaces,
  declareStrips,
  declareSums,
  eachSource,
  loadTexels,
  rowParts,
  storeSums,
} from "./registers.ts";
import { type ConvGeometry, type ConvKernel, tapRow } from "./shape.ts";
import { plus, unroll } from "../wgsl.ts";

/** Whether taps meet positions outside the input. */
const leaves = (g: ConvGeometry): boolean =>
  g.padding.some((before) => before > 0) ||
  g.outSize.some((n, axis) => (n - 1) * g.stride[axis] + (g.kernel[axis] - 1) * g.dilation[axis] >= g.inSize[axis]);

/** One trip: source block `r` under the taps that share its texels. */
function trip(k: ConvKernel, r: string): string {
  const products = unroll({ tap: tapRow(k).taps.length, block: k.tile.blocks }, ({ tap, block }) => {
    const weights = `weightsAt(${plus("block", block)}, ${plus("tap", tap)}, ${r})`;
    return `{
          ${addProducts(k, weights, tap, block)}
        }`;
  });
  return `
        ${loadTexels(k, r)}
        ${products}`;
}

/** The kernel's WGSL. */
export function direct(k: ConvKernel): string {
  const { geometry: g, tile, format } = k;
  const parts = rowParts(k);
  const eachTap = tile.columns === 1 ? "for (var tapX = 0u; tapX < KERNEL_WIDTH; tapX++) {" : "let tapX = 0u;\n    {";
  return `${groupDeclarations(k)}
${tileFunctions(k, { step: g.stride, leaves: leaves(g) || hasSpareColumns(k) })}

fn weightsAt(block: u32, tap: u32, r: u32) -> ${arithmeticOf(k).block} {
  return weightBlock((block * TAPS + tap) * WEIGHT_SPAN + r);
}

${kernelHead(k)}
  let first = firstSource(block);
  ${declareStrips(k)}
  ${declareSums(k)}
  for (var tapY = 0u; tapY < KERNEL_HEIGHT; tapY++) {
    let shiftY = i32(tapY * DILATION_Y) - PADDING_Y;
    ${parts.open}
    ${eachTap}
      let tap = tapY * KERNEL_WIDTH + tapX;
      let shiftX = i32(tapX * DILATION_X) - PADDING_X;
      ${declarePlaces(k)}
      ${eachSource(k, (r) => trip(k, r))}
    }
    ${parts.close}
  }
  ${gather(k, storeSums(k, { scaled: format === "i8", y: (row) => row, x: (column) => column }))}
}`;
}
