/**
 * Tiles in and tiles out of a convolution by Winograd's filtering; winograd_filter.ts has the equations.
 *
 *   tiles in     x, 6×6 texels of a tile at a distance of STEP      →   Bᵀ d B, a texel for each place and phase
 *   products     a 1×1 convolution for each class of places         conv.ts
 *   tiles out    a texel m for each place and phase                 →   Aᵀ m A, 4×4 texels of y at a distance of STEP
 *
 * Neighbouring tiles begin 4 positions of a phase apart. Between the kernels, a class of places is one map with a pixel for
 * each tile and BLOCKS blocks of channels for each place and phase. One invocation has one tile and block of channels.
 */
import type { ConvDirection, ConvGeometry } from "./shape.ts";
import { channelBlocks } from "../texels.ts";
import { constants, signedConstants, unroll } from "../wgsl.ts";
import { inputTransform, MADE, outputTransform, READ, winogradShape } from "./winograd_filter.ts";

/** WGSL of Σ coefficient · term, of the terms that there are. */
const combine = (coefficients: number[], term: (n: number) => string | undefined): string =>
  coefficients.flatMap((c, n) => {
    const name = term(n);
    return !name || Math.abs(c) < 1e-9 ? [] : Math.abs(c - 1) < 1e-9 ? name : `(${c}) * ${name}`;
  }).join(" + ") || "vec4f()";

/** The constants of both kernels, and how an invocation finds its tile and its block of channels. */
const tileOf = (
  { count, tiles: [rows, columns] }: ReturnType<typeof winogradShape>,
  { channels, extent, step }: { channels: number; extent: readonly number[]; step: number },
) => ({
  constants: constants({
    TILES: count,
    TILES_DOWN: rows,
    TILES_ACROSS: columns,
    MADE,
    BLOCKS: channelBlocks(channels),
    HEIGHT: extent[0],
    WIDTH: extent[1],
    STEP: step,
  }),
  locate: `
  let tile = i % TILES;
  let block = i / TILES;
  let item = tile / (TILES_DOWN * TILES_ACROSS);
  let top = tile / TILES_ACROSS % TILES_DOWN * MADE;
  let left = tile % TILES_ACROSS * MADE;
  let map = (item * BLOCKS + block) * (HEIGHT * WIDTH);`,
});

/** Tiles in: binds x and, for each class, y0 …, whose groups of channels hold Bᵀ d B of each tile as one pixel. */
export function winogradInput(g: ConvGeometry, direction: ConvDirection): string {
  const s = winogradShape(g, direction);
  const { constants, locate } = tileOf(s, { channels: s.from, extent: s.source, step: s.stepIn });
  const store = (row: number, column: number, y: number, x: number) => {
    const found = s.placeIn(row, column, y, x);
    if (!found) return "";
    const value = combine(inputTransform[column], (c) => `t_c${c}`);
    return `store_y${found.class}((${found.number}u * BLOCKS + block) * TILES + tile, ${value});`;
  };
  return `
${constants}
${signedConstants({ PADDING_Y: s.padding[0], PADDING_X: s.padding[1] })}

fn texelAt(map: u32, row: u32, column: u32, phaseY: u32, phaseX: u32) -> vec4f {
  let y = u32((i32(row) - PADDING_Y) * i32(STEP) + i32(phaseY));
  let x = u32((i32(column) - PADDING_X) * i32(STEP) + i32(phaseX));
  let inside = y < HEIGHT && x < WIDTH;
  return select(vec4f(), load_x(map + select(0u, y * WIDTH + x, inside)), inside);
}

fn kernel(i: u32) {
  ${locate}
  ${
    unroll({ y: s.stepIn, x: s.stepIn }, ({ y, x }) =>
      `{
    ${
        unroll({ row: READ, column: READ }, ({ row, column }) =>
          `let d_r${row}_c${column} = texelAt(map, top + ${row}u, left + ${column}u, ${y}u, ${x}u);`)
      }
    ${
        unroll({ row: READ }, ({ row }) =>
          `{
      ${
            unroll({ column: READ }, ({ column }) =>
              `let t_c${column} = ${
                combine(inputTransform[row], (r) => `d_r${r}_c${column}`)
              };`)
          }
      ${
            unroll({ column: READ }, ({ column }) =>
              store(row, column, y, x))
          }
    }`)
      }
  }`)
  }
}`;
}

/** Tiles out: binds, for each class, x0 …, laid out as `winogradInput` does it, y and, if asked for, bias. */
export function winogradOutput(g: ConvGeometry, direction: ConvDirection, bias: boolean): string {
  const s = winogradShape(g, direction);
  const { constants, locate } = tileOf(s, { channels: s.to, extent: s.target, step: s.stepOut });
  const spare = (axis: number) => s.target[axis] % (MADE * s.stepOut) !== 0;
  const bounds = [...(spare(0) ? ["y < HEIGHT"] : []), ...(spare(1) ? ["x < WIDTH"] : [])];
  const store = "store_y(map + y * WIDTH + x, value);";
  return `
${constants}

fn storeAt(map: u32, y: u32, x: u32, value: vec4f) {
  ${bounds.length ? `if (${bounds.join(" && ")}) { ${store} }` : store}
}

fn kernel(i: u32) {
  ${locate}
  ${bias ? "let bias = load_bias(block);" : ""}
  ${
    unroll({ y: s.stepOut, x: s.stepOut }, ({ y, x }) => {
      const found = (row: number, column: number) => s.placeOut(row, column, y, x);
      const load = (row: number, column: number) => {
        const one = found(row, column);
        return one
          ? `let m_r${row}_c${column} = load_x${one.class}((${one.number}u * BLOCKS + block) * TILES + tile);`
          : "";
      };
      return `{
    ${unroll({ row: READ, column: READ }, ({ row, column }) => load(row, column))}
    ${
        unroll({ row: MADE }, ({ row }) =>
          `{
      let y = (top + ${row}u) * STEP + ${y}u;
      ${
            unroll({ column: READ }, ({ column }) =>
              `let t_c${column} = ${
                combine(outputTransform[row], (r) => found(r, column) ? `m_r${r}_c${column}` : undefined)
              };`)
          }
      ${
            unroll({ column: MADE }, ({ column }) => {
              const value = combine(outputTransform[column], (c) => `t_c${c}`) + (bias ? " + bias" : "");
              return `storeAt(map, y, (left + ${column}u) * STEP + ${x}u, ${value});`;
            })
          }
    }`)
      }
  }`;
    })
  }
}`;
}
