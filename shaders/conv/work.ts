/**
 * What a convolution's kernel executes, which is more than the convolution asks for: taps that meet positions outside the
 * source, spare columns and strips at the edges, lanes of channels that only fill up a block, and zeros between groups.
 */
import {
  type ConvDirection,
  type ConvGeometry,
  type ConvKernel,
  convShape,
  spans,
  tapCounts,
  type TiledConv,
} from "./shape.ts";
import { inputTransform, MADE, outputTransform, READ, winogradShape } from "./winograd_filter.ts";
import { channelBlocks } from "../texels.ts";
import { range } from "../wgsl.ts";

const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Taps that the phases visit along one axis, all together. */
const phasesTaps = (g: ConvGeometry, axis: 0 | 1): number => total(tapCounts(g, axis));

/** Pairs of a block of the target and one of the source whose weights a kernel loads for each tap. */
function blockPairs({ geometry: g, direction }: TiledConv): number {
  const weights = spans(g.channelsOut, g.channelsIn, g.groups);
  if (direction === "direct") return channelBlocks(g.channelsOut) * weights.count;
  const own = spans(g.channelsIn, g.channelsOut, g.groups);
  const connected = (input: number, output: number) => {
    const r = input - weights.first(output);
    return r >= 0 && r < weights.count;
  };
  return total(
    range(channelBlocks(g.channelsIn)).map((input) =>
      range(own.count).filter((r) => connected(input, own.first(input) + r)).length
    ),
  );
}

/** Scalar multiply-adds of a whole dispatch, in all invocations that `convShape` counts. */
export function executedMultiplyAdds(k: TiledConv & Pick<ConvKernel, "group">): number {
  const { geometry: g, direction, tile } = k;
  const taps = direction === "direct" ? g.kernel[0] * g.kernel[1] : phasesTaps(g, 0) * phasesTaps(g, 1);
  const { tiles } = convShape(k);
  const places = k.group?.places ?? 1;
  const positions = Math.ceil(tiles / places) * places * tile.strips * tile.columns;
  return positions * blockPairs(k) * taps * 16;
}

/** Coefficients of a transform that are not zero: each takes a multiply-add of a vec4f. */
const termsOf = (coefficients: number[], used: (n: number) => boolean = () => true): number =>
  coefficients.filter((c, n) => Math.abs(c) > 1e-9 && used(n)).length;

/** Scalar multiply-adds of Winograd's transforms: of all tiles in, and of all tiles out. */
export function transformMultiplyAdds(g: ConvGeometry, direction: ConvDirection): { in: number; out: number } {
  const s = winogradShape(g, direction);
  const phases = (step: number) => range(step).flatMap((y) => range(step).map((x) => ({ y, x })));
  const tileIn = phases(s.stepIn).flatMap(({ y, x }) =>
    range(READ).map((row) =>
      READ * termsOf(inputTransform[row]) +
      total(range(READ).map((column) => s.placeIn(row, column, y, x) ? termsOf(inputTransform[column]) : 0))
    )
  );
  const tileOut = phases(s.stepOut).flatMap(({ y, x }) =>
    range(MADE).map((row) =>
      total(
        range(READ).map((column) => termsOf(outputTransform[row], (r) => s.placeOut(r, column, y, x) !== undefined)),
      ) + total(range(MADE).map((column) => termsOf(outputTransform[column])))
    )
  );
  return {
    in: 4 * channelBlocks(s.from) * s.count * total(tileIn),
    out: 4 * channelBlocks(s.to) * s.count * total(tileOut),
  };
}
