/**
 * Winograd's minimal filtering F(4×4, 3×3): sixteen neighbouring outputs of a 3×3 convolution of stride 1 by 36
 * multiplications in place of 144 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016).
 *
 *     Y = Aᵀ ( (G g Gᵀ) ⊙ (Bᵀ d B) ) A        d: 6×6 inputs, g: 3×3 weights, Y: 4×4 outputs
 *
 * Summed over input channels, the middle is one matrix product for each of the 36 places of ⊙: a 1×1 convolution in 36
 * groups. So three kernels make a layer: tiles in, the 1×1 convolution of conv.ts, tiles out.
 *
 * The rows of G evaluate a kernel, as a polynomial, at the points 0, ±√2, ±1/√2 and ∞. Their rounding errors are about
 * half of those of the usual 0, ±1, ±2; and as the inverse of each point is one of them, and each row is divided by |α|,
 * the flipped kernel of the data gradient has the same values in another order: one copy serves both directions.
 */
import { type ConvDirection, type ConvGeometry, range } from "./conv_shape.ts";
import { up4 } from "./layout.ts";

/** Rows and columns of outputs that a tile makes, and of inputs that it reads. */
const EDGE = 4, READ = 6;

/** Outputs of a tile, and places of ⊙. */
export const MADE = EDGE * EDGE, PLACES = READ * READ;

const points = [0, Math.SQRT2, -Math.SQRT2, Math.SQRT1_2, -Math.SQRT1_2];
/** Where the value at 1/α stands; ∞ comes last. */
const inverse = [5, 3, 4, 1, 2, 0];

/** Coefficients, from the constant on, of Π (x − root). */
const polynomial = (roots: number[]): number[] =>
  roots.reduce((p, root) => [...p, 0].map((_, n) => (p[n - 1] ?? 0) - root * (p[n] ?? 0)), [1]);

const size = (point: number): number => Math.abs(point) || 1;

/** G, 6 × 3. */
export const weightTransform = [...points.map((a) => [1, a, a * a].map((power) => power / size(a))), [0, 0, 1]];

/** Bᵀ, 6 × 6. */
const inputTransform = [
  ...points.map((a, n) => {
    const others = points.toSpliced(n, 1), norm = others.reduce((product, b) => product * (a - b), 1 / size(a));
    return [...polynomial(others).map((coefficient) => coefficient / norm), 0];
  }),
  polynomial(points),
];

/** Aᵀ, 4 × 6. */
const outputTransform = range(EDGE).map((power) => [...points.map((a) => a ** power), power === EDGE - 1 ? 1 : 0]);

/** WGSL of Σ coefficient · term. */
const combine = (coefficients: number[], term: (n: number) => string): string =>
  coefficients.flatMap((c, n) => Math.abs(c) < 1e-9 ? [] : Math.abs(c - 1) < 1e-9 ? term(n) : `(${c}) * ${term(n)}`)
    .join(" + ");

/** WGSL that declares `to`_i_j = Σ_r matrix[i][r] · `from`_r_j for the `columns` given. */
const columnwise = (matrix: number[][], columns: number, from: string, to: string): string =>
  matrix.flatMap((row, i) =>
    range(columns).map((j) => `let ${to}_${i}_${j} = ${combine(row, (r) => `${from}_${r}_${j}`)};`)
  ).join("\n  ");

/** A 3×3 convolution of stride 1, seen in one direction, as tiles. */
export function winogradShape(g: ConvGeometry, direction: ConvDirection) {
  const direct = direction === "direct";
  const [from, to] = direct ? [g.channelsIn, g.channelsOut] : [g.channelsOut, g.channelsIn];
  const [source, target] = direct ? [g.inSize, g.outSize] : [g.outSize, g.inSize];
  const tiles = target.map((extent) => Math.ceil(extent / EDGE));
  return {
    from,
    to,
    source,
    target,
    /** Rows and columns of zeros before the source's first. */
    padding: g.padding.map((before) => direct ? before : 2 - before),
    /** Rows and columns of tiles of an item, and the tiles of all items. */
    tiles,
    count: g.batch * tiles[0] * tiles[1],
    place: (i: number, j: number) => direct ? i * READ + j : inverse[i] * READ + inverse[j],
  };
}

/** WGSL that finds out which tile and which block of channels invocation i has. */
const locate = ({ count, tiles: [rows, columns] }: ReturnType<typeof winogradShape>): string =>
  `let tile = i % ${count}u; let block = i / ${count}u;
  let n = tile / ${
    rows * columns
  }u; let top = tile / ${columns}u % ${rows}u * ${EDGE}u; let left = tile % ${columns}u * ${EDGE}u;`;

/** Tiles in: binds x (source) and y, whose 36 groups of channels hold Bᵀ d B of each tile as one pixel. */
export function winogradInput(g: ConvGeometry, direction: ConvDirection): string {
  const s = winogradShape(g, direction), [height, width] = s.source, all = range(READ), blocks = up4(s.from);
  return `
fn kernel(i: u32) {
  ${locate(s)}
  let base = (n * ${blocks}u + block) * ${height * width}u;
  ${all.map((r) => `let y${r} = i32(top) + ${r - s.padding[0]}; let inY${r} = u32(y${r}) < ${height}u;`).join("\n  ")}
  ${all.map((c) => `let x${c} = i32(left) + ${c - s.padding[1]}; let inX${c} = u32(x${c}) < ${width}u;`).join("\n  ")}
  ${
    all.flatMap((r) =>
      all.map((c) =>
        `let in_${r}_${c} = inY${r} && inX${c};
  let d_${r}_${c} = select(vec4f(), load_x(base + select(0u, u32(y${r} * ${width} + x${c}), in_${r}_${c})), in_${r}_${c});`
      )
    ).join("\n  ")
  }
  ${columnwise(inputTransform, READ, "d", "t")}
  ${
    all.flatMap((r) =>
      inputTransform.map((row, c) =>
        `store_y((${s.place(r, c) * blocks}u + block) * ${s.count}u + tile, ${combine(row, (n) => `t_${r}_${n}`)});`
      )
    ).join("\n  ")
  }
}`;
}

/** Tiles out: binds x, the products of all places in the layout that `winogradInput` writes, y and, if asked for, bias. */
export function winogradOutput(g: ConvGeometry, direction: ConvDirection, bias: boolean): string {
  const s = winogradShape(g, direction), [height, width] = s.target, all = range(READ), blocks = up4(s.to);
  const bounded = (axis: number, at: string) => s.target[axis] % EDGE ? [`${at} < ${s.target[axis]}u`] : [];
  return `
fn kernel(i: u32) {
  ${locate(s)}
  let base = (n * ${blocks}u + block) * ${height * width}u + top * ${width}u + left;
  ${bias ? "let added = load_bias(block);" : ""}
  ${
    all.flatMap((r) =>
      all.map((c) => `let m_${r}_${c} = load_x((${s.place(r, c) * blocks}u + block) * ${s.count}u + tile);`)
    ).join("\n  ")
  }
  ${columnwise(outputTransform, READ, "m", "t")}
  ${
    range(EDGE).flatMap((r) =>
      outputTransform.map((row, c) => {
        const bounds = [...bounded(0, `top + ${r}u`), ...bounded(1, `left + ${c}u`)];
        const value = combine(row, (n) => `t_${r}_${n}`) + (bias ? " + added" : "");
        return `${bounds.length ? `if (${bounds.join(" && ")}) ` : ""}{ store_y(base + ${r * width + c}u, ${value}); }`;
      })
    ).join("\n  ")
  }
}`;
}
