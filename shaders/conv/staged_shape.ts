/** What a kernel that stages its tiles (staged.ts) and its caller agree on. */
import { blockTexels, type WeightFormat } from "./blocks.ts";
import { type ConvDirection, type ConvGeometry, type ConvKernel, convShape, spans, tapCounts } from "./shape.ts";
import { channelBlocks } from "../texels.ts";

/** How a workgroup is made of lanes, and a lane of sums. */
export interface StagedTile {
  /** Rows of four channels, and positions, of one lane. */
  blocks: number;
  strips: number;
  /** Lanes along the channels and along the positions. */
  down: number;
  across: number;
  /** Source blocks of one stage. */
  depth: number;
  /** Groups of lanes that share a sum. */
  slices: number;
  /** 1 where the phases of a position are rows of one tile, 0 where each has tiles of its own. */
  joint: number;
}

/** A kernel. Bindings: x (source), w, y (destination), and `bias`, `scale` where asked for. */
export interface StagedKernel {
  geometry: ConvGeometry;
  direction: ConvDirection;
  format: WeightFormat;
  bias: boolean;
  /** Products in f16, a stage of them a part of a sum (half.ts). */
  half: boolean;
  staged: StagedTile;
}

/** Texels of a block of weights as the kernel reads them: in f16 arithmetic, weights in f16 come column by column. */
export const blockParts = ({ format, half }: Pick<StagedKernel, "format" | "half">): number =>
  half && format === "f16" ? 4 : blockTexels[format];

/** Lanes of a slice, and of the workgroup. */
export const sliceLanes = ({ down, across }: StagedTile): number => down * across;
export const lanesOf = (t: StagedTile): number => sliceLanes(t) * t.slices;

/** Sums of a lane. */
export const sumsOf = ({ blocks, strips }: StagedTile): number => blocks * strips;

/** Texels of a row of weights in workgroup memory: one more than lanes, so that columns lie in different banks. */
export const rowOf = ({ down }: StagedTile): number => down + 1;

/** What workgroup memory holds. */
export const elementOf = ({ half }: Pick<StagedKernel, "half">): string => half ? "vec4<f16>" : "vec4f";

/** Bytes of workgroup memory. */
export function stagedBytes({ staged: t, half }: Pick<StagedKernel, "staged" | "half">): number {
  const stages = 2 * t.slices * t.depth * (t.strips * t.across + 4 * t.blocks * rowOf(t));
  return (half ? 8 : 16) * stages + (t.slices > 1 ? 16 * sumsOf(t) * sliceLanes(t) : 0);
}

/** The kernel as tiles of one position: what its functions are made for. */
export const asTiles = ({ geometry, direction, format, bias, half }: StagedKernel): ConvKernel => ({
  ...{ geometry, direction, format, bias, half },
  tile: { blocks: 1, strips: 1, columns: 1, unroll: 1 },
});

/** How far the taps that reach any phase of an axis lie from its position in the source: from `first` on, so many. */
export function tapWindow({ kernel, stride, padding }: ConvGeometry, axis: 0 | 1): { first: number; count: number } {
  const [least, most] = [padding[axis] - kernel[axis] + 1, stride[axis] - 1 + padding[axis]];
  const first = Math.ceil(least / stride[axis]);
  return { first, count: Math.floor(most / stride[axis]) - first + 1 };
}

/** Whether a convolution's phases can be rows of one tile. */
export const canJoin = ({ stride, dilation }: ConvGeometry, direction: ConvDirection): boolean =>
  direction === "transposed" && stride[0] * stride[1] > 1 && dilation[0] === 1 && dilation[1] === 1;

/** The sizes that follow. */
export function stagedShape(k: StagedKernel) {
  const { geometry: g, direction, staged: t } = k;
  const { from, to, positions, phases } = convShape(asTiles(k));
  const { count: span, exact } = spans(to, from, g.groups);
  const all = phases[0] * phases[1];
  const groupBlocks = channelBlocks(to) / g.groups;
  const groupRows = groupBlocks * (t.joint ? all : 1);
  const rowTiles = Math.ceil(groupRows / (t.blocks * t.down));
  const columns = Math.ceil(positions / (t.strips * t.across));
  const lanes = sliceLanes(t);
  const texels = t.depth * t.strips * t.across;
  const weights = t.depth * t.blocks * t.down * blockParts(k);
  const taps = t.joint
    ? { y: [tapWindow(g, 0).count], x: [tapWindow(g, 1).count] }
    : direction === "direct"
    ? { y: [g.kernel[0]], x: [g.kernel[1]] }
    : { y: tapCounts(g, 0), x: tapCounts(g, 1) };
  return {
    span,
    exact: exact && Number.isInteger(groupBlocks),
    groupBlocks,
    /** Rows of four channels in a group, and tiles along them. */
    groupRows,
    rowTiles,
    grid: [columns, rowTiles * g.groups, t.joint ? 1 : all] as const,
    /** Taps along the axes: of each phase, or of all together. */
    taps,
    /** Stages of the longest sum of a slice. */
    trips: Math.ceil(Math.max(...taps.y) * Math.max(...taps.x) * span / t.depth / t.slices),
    /** Texels that a lane brings for a stage. */
    turns: Math.ceil(texels / lanes) + Math.ceil(weights / lanes),
  };
}

/** Scalar multiply-adds of a whole dispatch, padding included. */
export function stagedMultiplyAdds(k: StagedKernel): number {
  const { span, taps, grid } = stagedShape(k);
  const { blocks, strips, down, across, depth, slices } = k.staged;
  const stages = taps.y.flatMap((y) => taps.x.map((x) => Math.ceil(y * x * span / depth / slices) * slices * depth));
  const sum = stages.reduce((all, count) => all + count, 0);
  return grid[0] * grid[1] * blocks * down * strips * across * sum * 16;
}
