/**
 * Convolution in its transposed direction: deconv2d's output, and conv2d's data gradient.
 *
 *   x[n,i,p,q] = Σ_taps Σ_o w[o,i,tap] · y[n,o, (p + top − tap_y·dilation_y) / stride_y, (q + left − tap_x·dilation_x) / stride_x]
 *
 * over the taps whose divisions leave no rest. The source is y, the target x. Target positions are sorted into
 * stride_y · stride_x phases, each a small dense convolution over its own taps, every TAP_STEP-th from the phase's first on,
 * so that nothing is multiplied by an inserted zero:
 *
 *   stride 2     phase 0 1 0 1 0 1 …      a kernel of 4 and padding 1: taps 1 and 3 in phase 0, 0 and 2 in phase 1
 *
 * The weights are those of the direct direction (blocks.ts), each block transposed. Integer weights have a scale for each
 * output o, which the texels of y take. Tiles are those of places.ts and registers.ts, on the lattice of one phase.
 */
import { wgsl } from "wgsl-preprocessor";
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
import { type ConvGeometry, type ConvKernel, phaseTaps, spans, tapRow } from "./shape.ts";
import { constants, plus, unroll } from "../wgsl.ts";

/** Whether taps meet positions outside the output. */
const leaves = (g: ConvGeometry): boolean =>
  g.kernel.some((size, axis) => size > g.stride[axis]) ||
  g.padding.some((before) => before > 0) ||
  g.outSize.some((n, axis) => n * g.stride[axis] < g.inSize[axis]);

/** One trip: source block `r` under the taps that share its texels. */
function trip(k: ConvKernel, r: string): string {
  const { geometry: g, tile, format } = k;
  const { taps, always } = tapRow(k);
  const { exact } = spans(g.channelsOut, g.channelsIn, g.groups);
  const scaled = format === "i8";
  const products = unroll({ tap: taps.length, block: tile.blocks }, ({ tap, block }) => {
    const own = plus("block", block);
    const step = "u * TAP_STEP_X";
    const guards = [
      ...(always ? [] : [`${plus("tapX", tap, step)} < KERNEL_WIDTH`]),
      ...(exact ? [] : [`connected(${own}, first + ${r})`]),
    ];
    const weights = `weightsAt(${own}, ${plus("tap", tap, step)}, first + ${r})`;
    return `${guards.length ? `if (${guards.join(" && ")})` : ""} {
          ${addProducts(k, weights, tap, block)}
        }`;
  });
  return `
        ${scaled ? `let scale = load_scale(first + ${r});` : ""}
        ${loadTexels(k, r, scaled ? "scale" : undefined)}
        ${products}`;
}

/** The kernel's WGSL. */
export function transposed(k: ConvKernel): string {
  const { geometry: g, tile } = k;
  const parts = rowParts(k);
  const tapsY = phaseTaps(g, 0);
  const tapsX = phaseTaps(g, 1);
  const weightSpans = spans(g.channelsOut, g.channelsIn, g.groups);
  const eachTap = tile.columns === 1
    ? "for (var tapX = firstTapX(phaseX); tapX < KERNEL_WIDTH; tapX += TAP_STEP_X) {"
    : "let tapX = firstTapX(phaseX);\n    {";
  return wgsl`
${
    constants({
      PHASES_Y: g.stride[0],
      PHASES_X: g.stride[1],
      TAP_STEP_Y: tapsY.step,
      TAP_STEP_X: tapsX.step,
    })
  }
${groupDeclarations(k)}
${tileFunctions(k, { step: [1, 1], leaves: leaves(g) || hasSpareColumns(k) })}

fn firstTapY(phase: u32) -> u32 {
  return ${tapsY.first};
}

fn firstTapX(phase: u32) -> u32 {
  return ${tapsX.first};
}

fn firstInput(block: u32) -> u32 {
  return ${weightSpans.wgsl};
}

#if ${!weightSpans.exact}
fn connected(block: u32, output: u32) -> bool {
  return block - firstInput(output) < WEIGHT_SPAN;
}
#endif

fn weightsAt(block: u32, tap: u32, output: u32) -> ${arithmeticOf(k).block} {
  #if ${weightSpans.exact}
  let r = block - firstInput(output);
  #else
  let r = min(block - firstInput(output), WEIGHT_SPAN - 1u);
  #endif
  return transpose(weightBlock((output * TAPS + tap) * WEIGHT_SPAN + r));
}

${kernelHead(k)}
  let phaseY = phase / PHASES_X;
  let phaseX = phase % PHASES_X;
  let first = firstSource(block);
  ${declareStrips(k)}
  ${declareSums(k)}
  for (var tapY = firstTapY(phaseY); tapY < KERNEL_HEIGHT; tapY += TAP_STEP_Y) {
    let shiftY = (i32(phaseY) + PADDING_Y - i32(tapY * DILATION_Y)) / i32(PHASES_Y);
    ${parts.open}
    ${eachTap}
      let tap = tapY * KERNEL_WIDTH + tapX;
      let shiftX = (i32(phaseX) + PADDING_X - i32(tapX * DILATION_X)) / i32(PHASES_X);
      ${declarePlaces(k)}
      ${eachSource(k, (r) => trip(k, r))}
    }
    ${parts.close}
  }
  ${
    gather(
      k,
      storeSums(k, {
        scaled: false,
        y: (row) => `phaseY + ${row} * PHASES_Y`,
        x: (column) => `phaseX + (${column}) * PHASES_X`,
      }),
    )
  }
}`;
}
