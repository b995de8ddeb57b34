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
import { declarePlaces, declareStrips, declareSums, eachSource, rowParts } from "./registers.ts";
import { addProducts, loadTexels, storeSums } from "./registers.ts";
import { hasSpareColumns, tileFunctions } from "./places.ts";
import { type ConvGeometry, type ConvKernel, convShape, phaseTaps, spans, tapRow } from "./shape.ts";
import { constants, signedConstants, unroll } from "./wgsl.ts";

/** Whether taps meet positions outside the output. */
const leaves = (g: ConvGeometry): boolean =>
  g.kernel.some((size, axis) => size > g.stride[axis]) ||
  g.padding.some((before) => before > 0) ||
  g.outSize.some((n, axis) => n * g.stride[axis] < g.inSize[axis]);

/** The kernel's WGSL. */
export function transposed(k: ConvKernel): string {
  const { geometry: g, tile, format } = k;
  const row = tapRow(k), parts = rowParts(k), [tapsY, tapsX] = [phaseTaps(g, 0), phaseTaps(g, 1)];
  const weightSpans = spans(g.channelsOut, g.channelsIn, g.groups);
  const columns = tile.columns === 1
    ? "for (var tapX = firstTapX(phaseX); tapX < KERNEL_WIDTH; tapX += TAP_STEP_X)"
    : "let tapX = firstTapX(phaseX);";
  const scaled = format === "i8";
  return wgsl`${tileFunctions(k, { step: [1, 1], leaves: leaves(g) || hasSpareColumns(k) })}
${
    constants({
      PHASES_Y: g.stride[0],
      PHASES_X: g.stride[1],
      TAP_STEP_Y: tapsY.step,
      TAP_STEP_X: tapsX.step,
      BLOCK_TILES: convShape(k).channelTiles,
    })
  }
${signedConstants({ PADDING_Y: g.padding[0], PADDING_X: g.padding[1] })}

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

fn weightsAt(block: u32, tap: u32, output: u32) -> mat4x4f {
  #if ${weightSpans.exact}
  let r = block - firstInput(output);
  #else
  let r = min(block - firstInput(output), WEIGHT_SPAN - 1u);
  #endif
  return transpose(weightBlock((output * TAPS + tap) * WEIGHT_SPAN + r));
}

fn kernel(i: u32) {
  let tile = i % TILES;
  let block = i / TILES % BLOCK_TILES * BLOCKS;
  let phase = i / (TILES * BLOCK_TILES);
  let phaseY = phase / PHASES_X;
  let phaseX = phase % PHASES_X;
  let first = firstSource(block);
  ${declareStrips(k)}
  ${declareSums(k)}
  for (var tapY = firstTapY(phaseY); tapY < KERNEL_HEIGHT; tapY += TAP_STEP_Y) {
    let shiftY = (i32(phaseY) + PADDING_Y - i32(tapY * DILATION_Y)) / i32(PHASES_Y);
    ${parts.open}
    ${columns} {
      let tap = tapY * KERNEL_WIDTH + tapX;
      let shiftX = (i32(phaseX) + PADDING_X - i32(tapX * DILATION_X)) / i32(PHASES_X);
      ${declarePlaces(k)}
      ${
    eachSource(k, (r) => `
        ${scaled ? `let scale = load_scale(first + ${r});` : ""}
        ${loadTexels(k, r, scaled ? "scale" : undefined)}
        ${
      unroll({ tap: row.taps.length }, ({ tap }) =>
        `${row.always ? "" : `if (tapX + ${tap}u * TAP_STEP_X < KERNEL_WIDTH)`} {
            ${
          unroll({ block: tile.blocks }, ({ block }) => {
            const weights = `weightsAt(block + ${block}u, tap + ${tap}u * TAP_STEP_X, first + ${r})`;
            const guard = weightSpans.exact ? "" : `if (connected(block + ${block}u, first + ${r}))`;
            return `${guard} {
                ${addProducts(k, weights, tap, block)}
              }`;
          })
        }
          }`)
    }`)
  }
    }
    ${parts.close}
  }
  ${
    storeSums(k, {
      scaled: false,
      y: (row) => `phaseY + ${row} * PHASES_Y`,
      x: (column) => `phaseX + (${column}) * PHASES_X`,
    })
  }
}`;
}
