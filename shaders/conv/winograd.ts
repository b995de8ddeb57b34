import { type ConvDirection, type ConvGeometry, range } from "./shape.ts";
import { up4 } from "../layout.ts";
import { inputTransform, MADE, outputTransform, pairs, READ, winogradShape } from "./winograd_filter.ts";

/** WGSL of Σ coefficient · term, of the terms that there are. */
const combine = (coefficients: number[], term: (n: number) => string | undefined): string =>
  coefficients.flatMap((c, n) => {
    const name = term(n);
    return !name || Math.abs(c) < 1e-9 ? [] : Math.abs(c - 1) < 1e-9 ? name : `(${c}) * ${name}`;
  }).join(" + ") || "vec4f()";

/** WGSL that finds out which tile and which block of channels invocation i has. */
const locate = ({ count, tiles: [rows, columns] }: ReturnType<typeof winogradShape>): string =>
  `let tile = i % ${count}u; let block = i / ${count}u; let n = tile / ${rows * columns}u;
  let top = tile / ${columns}u % ${rows}u * ${MADE}u; let left = tile % ${columns}u * ${MADE}u;`;

/** Tiles in: binds x and, for each class, y0 …, whose groups of channels hold Bᵀ d B of each tile as one pixel. */
export function winogradInput(g: ConvGeometry, direction: ConvDirection): string {
  const s = winogradShape(g, direction), [height, width] = s.source, all = range(READ), blocks = up4(s.from);
  const phases = pairs(s.stepIn).map(([py, px]) =>
    `{
  ${
      all.map((r) =>
        `let y${r} = (i32(top) + ${r - s.padding[0]}) * ${s.stepIn} + ${py}; let inY${r} = u32(y${r}) < ${height}u;
  let x${r} = (i32(left) + ${r - s.padding[1]}) * ${s.stepIn} + ${px}; let inX${r} = u32(x${r}) < ${width}u;`
      ).join("\n  ")
    }
  ${
      pairs(READ).map(([r, c]) =>
        `let in${r}${c} = inY${r} && inX${c};
  let d${r}${c} = select(vec4f(), load_x(base + select(0u, u32(y${r} * ${width} + x${c}), in${r}${c})), in${r}${c});`
      ).join("\n  ")
    }
  ${
      all.map((row) =>
        `{
  ${all.map((c) => `let t${c} = ${combine(inputTransform[row], (r) => `d${r}${c}`)};`).join("\n  ")}
  ${
          all.map((column) => {
            const found = s.placeIn(row, column, py, px);
            return found
              ? `store_y${found.class}((${found.number * blocks}u + block) * ${s.count}u + tile, ${
                combine(inputTransform[column], (c) => `t${c}`)
              });`
              : "";
          }).join("\n  ")
        } }`
      ).join("\n  ")
    } }`
  );
  return `
fn kernel(i: u32) {
  ${locate(s)}
  let base = (n * ${blocks}u + block) * ${height * width}u;
  ${phases.join("\n  ")}
}`;
}

/** Tiles out: binds, for each class, x0 …, laid out as `winogradInput` does it, y and, if asked for, bias. */
export function winogradOutput(g: ConvGeometry, direction: ConvDirection, bias: boolean): string {
  const s = winogradShape(g, direction), [height, width] = s.target, all = range(READ), blocks = up4(s.to);
  const bounded = (axis: number, at: string) =>
    s.target[axis] % (MADE * s.stepOut) ? [`${at} < ${s.target[axis]}u`] : [];
  const phases = pairs(s.stepOut).map(([py, px]) => {
    const loads = pairs(READ).flatMap(([r, c]) => {
      const one = s.placeOut(r, c, py, px);
      return one ? `let m${r}${c} = load_x${one.class}((${one.number * blocks}u + block) * ${s.count}u + tile);` : [];
    });
    const rows = range(MADE).map((row) => {
      const y = `(top + ${row}u) * ${s.stepOut}u + ${py}u`;
      const columns = all.map((c) =>
        `let t${c} = ${combine(outputTransform[row], (r) => s.placeOut(r, c, py, px) ? `m${r}${c}` : undefined)};`
      );
      const stores = range(MADE).map((column) => {
        const x = `(left + ${column}u) * ${s.stepOut}u + ${px}u`, bounds = [...bounded(0, y), ...bounded(1, x)];
        const value = combine(outputTransform[column], (c) => `t${c}`) + (bias ? " + added" : "");
        return `${
          bounds.length ? `if (${bounds.join(" && ")}) ` : ""
        }{ store_y(base + (${y}) * ${width}u + ${x}, ${value}); }`;
      });
      return `{ ${[...columns, ...stores].join("\n  ")} }`;
    });
    return `{ ${[...loads, ...rows].join("\n  ")} }`;
  });
  return `
fn kernel(i: u32) {
  ${locate(s)}
  let base = (n * ${blocks}u + block) * ${height * width}u;
  ${bias ? "let added = load_bias(block);" : ""}
  ${phases.join("\n  ")}
}`;
}
