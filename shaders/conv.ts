/**
 * Convolution as a gather, for both directions of the same weights.
 *
 *   direct       y[n,o,·] = Σ_taps Σ_i w[o,i,tap] · x[n,i, · stride − padding + tap · dilation]
 *   transposed   x[n,i,·] = Σ_taps Σ_o w[o,i,tap] · y[n,o, (· + padding − tap · dilation) / stride]
 *
 * Direct is conv2d's output and deconv2d's data gradient; transposed is deconv2d's output and conv2d's data gradient.
 * A transposed kernel visits, for each output position, only the taps whose division leaves no rest: positions are
 * sorted into stride² phases, each a small dense convolution, so nothing is multiplied by an inserted zero.
 *
 * Weights lie in 4×4 blocks, block(o/4, tap, r) = 4 inputs × 4 outputs, r counting the input blocks that output block
 * o/4 sees (`spans`): one copy serves both directions. Groups that do not fall on multiples of four get zeros in their
 * blocks. One invocation makes a register tile of `tile.blocks` × 4 channels at `tile.strips` × `tile.columns` positions:
 *
 *            pixel 0   pixel 1 …            loads per block of four source channels:
 *   block 0  vec4      vec4                   a texel of the source for each pixel
 *   block 1  vec4      vec4                   tile.blocks weight blocks
 *     ⋮                                     for 16 · pixels · tile.blocks multiply-adds
 *
 * Neighbouring invocations take neighbouring strips, so that with one column GPUs read and write whole cache lines. With
 * more, all taps of a kernel's row come in one loop trip and share the texels of neighbouring columns. Long sums are taken
 * in parts, so that rounding grows with the square root of a part and of their number, not of all products;
 * or in double-float arithmetic.
 */
import { wgsl } from "wgsl-preprocessor";
import { addProduct, doubleFloat, split, storeDouble } from "./double_float.ts";
import { convShape, phaseTaps, range, spans, tapRow, type TiledConv } from "./conv_shape.ts";
import { up4 } from "./layout.ts";

/**
 * A convolution kernel. Bindings: x (source), w, y (destination), and `bias`, `scale` where asked for. In double-float
 * arithmetic also x_rest with `from`; with `to`, y_rest and whatever ReLU y has to go through.
 */
export interface ConvKernel extends TiledConv {
  format: "f32" | "f16" | "i8";
  bias: boolean;
  double?: { from: boolean; to: boolean; relu?: { slope: number } };
}

/** Loop trips that make one part of a sum. */
const PART = 16;

/** Texels of one 4×4 block of weights. */
export const blockTexels = { f32: 4, f16: 2, i8: 1 } as const;

/** WGSL that declares w0 … w3, the block's rows (one input, four outputs each), from texel `at` on. */
function loadBlock(format: ConvKernel["format"], at: string): string {
  switch (format) {
    case "f32":
      return [0, 1, 2, 3].map((row) => `let w${row} = load_w(${at} + ${row}u);`).join(" ");
    case "f16":
      return [0, 1].map((half) =>
        `let h${half} = load_w(${at} + ${half}u); ` + [0, 1].map((row) => {
          const [a, b] = row === 0 ? "xy" : "zw";
          return `let w${half * 2 + row} = vec4f(unpack2x16float(h${half}.${a}), unpack2x16float(h${half}.${b}));`;
        }).join(" ")
      ).join(" ");
    case "i8":
      return `let q = load_w(${at}); ` +
        [..."xyzw"].map((lane, row) =>
          `let w${row} = vec4f(vec4i(vec4u(q.${lane}) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));`
        ).join(" ");
  }
}

/** WGSL that stores a sum with what it lost, times its scale and plus its bias. */
function storeSum(double: NonNullable<ConvKernel["double"]>, at: string, sum: string, scale?: string, bias?: string) {
  const whole = (name = "vec4f()") => `Double(${name}, vec4f())`, own = `Double(acc${sum}, lost${sum})`;
  const value = `plus(${scale ? `times(${own}, ${whole(scale)})` : own}, ${whole(bias)})`;
  return double.to ? storeDouble(at, value, double.relu) : `store_y(${at}, ${value}.main);`;
}

/** The kernel's WGSL. */
export function conv(k: ConvKernel): string {
  const { geometry: g, direction, tile, format, double } = k, direct = direction === "direct";
  const s = convShape(k), [kh, kw] = g.kernel, row = tapRow(k), taps = kh * kw, texels = blockTexels[format];
  const weightSpans = spans(g.channelsOut, g.channelsIn, g.groups);
  const own = direct ? weightSpans : spans(g.channelsIn, g.channelsOut, g.groups);
  const [sh, sw] = s.source, [th, tw] = s.target, area = sh * sw, [py, px] = s.phases;
  const scaled = format === "i8";
  const spare = tw % (px * tile.columns) !== 0;
  const guarded = spare || (direct
    ? g.padding.some((p) => p > 0) ||
      g.outSize.some((n, a) => (n - 1) * g.stride[a] + (g.kernel[a] - 1) * g.dilation[a] >= g.inSize[a])
    : g.kernel.some((size, a) => size > g.stride[a]) || g.padding.some((p) => p > 0) ||
      g.outSize.some((n, a) => n * g.stride[a] < g.inSize[a]));
  const strips = range(tile.strips), columns = range(tile.columns), channels = range(tile.blocks);
  const rowTaps = direct ? { first: "0u", step: 1 } : phaseTaps("phaseY", g.padding[0], py, g.dilation[0], kh);
  const named = (j: number, at: number) => `${j}_${at < 0 ? `n${-at}` : at}`;

  const prepare = strips.map((j) => {
    const position = `strip + ${j * s.tiles}u`;
    return `let p${j} = ${s.positions % tile.strips ? `min(${position}, ${s.positions - 1}u)` : position};
  let n${j} = p${j} / ${s.lattice[0] * s.lattice[1]}u; let ty${j} = p${j} / ${s.lattice[1]}u % ${
      s.lattice[0]
    }u; let tx${j} = p${j} % ${s.lattice[1]}u * ${tile.columns}u;
  let base${j} = (n${j} * ${up4(s.from)}u + first) * ${area}u;`;
  });
  const locate = strips.flatMap((j) => [
    `let iy${j} = ${direct ? `i32(ty${j} * ${g.stride[0]}u) + shiftY` : `i32(ty${j}) + shiftY`};`,
    ...row.texels.map((at) => {
      const x = named(j, at);
      return wgsl`let ix${x} = ${direct ? `i32(tx${j} * ${g.stride[1]}u)` : `i32(tx${j})`} + shiftX + ${at};
      #if ${guarded}
      let ok${x} = u32(iy${j}) < ${sh}u && u32(ix${x}) < ${sw}u;
      let from${x} = base${j} + select(0u, u32(iy${j} * ${sw} + ix${x}), ok${x});
      #else
      let from${x} = base${j} + u32(iy${j} * ${sw} + ix${x});
      #endif`;
    }),
  ]);
  const trip = (u: number) => {
    const r = u === 0 ? "r" : `(r + ${u}u)`;
    const weight = (a: number) => {
      if (direct) return `(((block + ${a}u) * ${taps}u + tap) * ${weightSpans.count}u + ${r}) * ${texels}u`;
      const relative = `block + ${a}u - ${weightSpans.wgsl(`first + ${r}`)}`;
      const inside = weightSpans.exact ? relative : `min(${relative}, ${weightSpans.count - 1}u)`;
      return `(((first + ${r}) * ${taps}u + tap) * ${weightSpans.count}u + ${inside}) * ${texels}u`;
    };
    const source = strips.flatMap((j) =>
      row.texels.map((at) => {
        const x = named(j, at), factor = scaled && !direct ? " * rowScale" : "";
        const load = (name: string) => {
          const texel = `load_${name}(from${x} + ${r} * ${area}u)`;
          return `${guarded ? `select(vec4f(), ${texel}, ok${x})` : texel}${factor};`;
        };
        if (!double) return `let x${x} = ${load("x")}`;
        return `let x${x} = ${load("x")} ${split(`x${x}`)} ${double.from ? `let x${x}_r = ${load("x_rest")}` : ""}`;
      })
    );
    const multiply = (m: number) =>
      channels.map((a) => {
        const rows = [0, 1, 2, 3].map((row) =>
          direct ? `w${row}` : `vec4f(${[0, 1, 2, 3].map((c) => `w${c}.${"xyzw"[row]}`).join(", ")})`
        );
        const sums = strips.flatMap((j) =>
          columns.map((column) => {
            const name = `${a}_${j}_${column}`, x = named(j, row.offset(m, column));
            return [..."xyzw"].map((lane, row) =>
              double
                ? addProduct(`acc${name}`, `lost${name}`, `m${row}`, `x${x}`, lane, double.from)
                : `part${name} = fma(m${row}, vec4f(x${x}.${lane}), part${name});`
            ).join(" ");
          })
        );
        const skip = !direct && !weightSpans.exact
          ? `if (block + ${a}u - ${weightSpans.wgsl(`first + ${r}`)} < ${weightSpans.count}u)`
          : "";
        return `${skip} { let at = ${weight(a)}; ${loadBlock(format, "at")} ${
          rows.map((row, n) => `let m${n} = ${row}; ${double ? split(`m${n}`) : ""}`).join(" ")
        }
        ${sums.join("\n        ")} }`;
      });
    return `${u > 0 && own.count % tile.unroll ? `if (r + ${u}u < ${own.count}u) ` : ""}{
        ${scaled && !direct ? `let rowScale = load_scale(first + ${r});` : ""}
        ${source.join("\n        ")}
        ${
      row.taps.map((m) =>
        `${row.always ? "" : `if (kx + ${m * row.step}u < ${kw}u) `}{ let tap = ky * ${kw}u + kx + ${m * row.step}u;
        ${multiply(m).join("\n        ")} }`
      ).join("\n        ")
    }
      }`;
  };
  const finish = channels.flatMap((a) =>
    strips.flatMap((j) =>
      columns.map((column) => {
        const x = `phaseX + (tx${j} + ${column}u) * ${px}u`,
          bounds = [
            ...(s.positions % tile.strips ? [`strip + ${j * s.tiles}u < ${s.positions}u`] : []),
            ...(th % py ? [`phaseY + ty${j} * ${py}u < ${th}u`] : []),
            ...(spare ? [`${x} < ${tw}u`] : []),
          ];
        const sum = `${a}_${j}_${column}`, scale = scaled && direct ? `scale${a}` : undefined;
        const bias = k.bias ? `bias${a}` : undefined;
        const at = `((n${j} * ${up4(s.to)}u + block + ${a}u) * ${th}u + phaseY + ty${j} * ${py}u) * ${tw}u + ${x}`;
        const store = double
          ? storeSum(double, at, sum, scale, bias)
          : `store_y(${at}, acc${sum}${scale ? ` * ${scale}` : ""}${bias ? ` + ${bias}` : ""});`;
        return `${bounds.length ? `if (${bounds.join(" && ")}) ` : ""}{ ${store} }`;
      })
    )
  );
  const sums = channels.flatMap((a) => strips.flatMap((j) => columns.map((column) => `${a}_${j}_${column}`)));
  const each = (statement: (sum: string) => string) => sums.map(statement).join(" ");
  const openPart = each((sum) => `var part${sum} = vec4f();`), closePart = each((sum) => `acc${sum} += part${sum};`);
  const part = PART * tile.unroll, parts = double ? "none" : own.count > part ? "in a tap" : "a row of taps";
  return wgsl`${double ? doubleFloat : ""}
fn kernel(i: u32) {
  let strip = i % ${s.tiles}u;
  let block = i / ${s.tiles}u % ${s.channelTiles}u * ${tile.blocks}u;
  let phase = i / ${s.tiles * s.channelTiles}u;
  let phaseY = phase / ${px}u;
  let phaseX = phase % ${px}u;
  let first = ${own.wgsl("block")};
  ${prepare.join("\n  ")}
  ${each((sum) => `var acc${sum} = vec4f();`)}
  ${double ? `hideOnes(load_x(0u)); ${each((sum) => `var lost${sum} = vec4f();`)}` : ""}
  for (var ky = ${rowTaps.first}; ky < ${kh}u; ky += ${rowTaps.step}u) {
    #if ${direct}
    let shiftY = i32(ky * ${g.dilation[0]}u) - ${g.padding[0]};
    #else
    let shiftY = (i32(phaseY) + ${g.padding[0]} - i32(ky * ${g.dilation[0]}u)) / ${py};
    #endif
    ${parts === "a row of taps" ? openPart : ""}
    ${
    tile.columns === 1 ? `for (var kx = ${row.first}; kx < ${kw}u; kx += ${row.step}u) {` : `{ let kx = ${row.first};`
  }
      #if ${direct}
      let shiftX = i32(kx * ${g.dilation[1]}u) - ${g.padding[1]};
      #else
      let shiftX = (i32(phaseX) + ${g.padding[1]} - i32(kx * ${g.dilation[1]}u)) / ${px};
      #endif
      ${locate.join("\n      ")}
      ${
    parts === "in a tap"
      ? `for (var start = 0u; start < ${own.count}u; start += ${part}u) { ${openPart}
      for (var r = start; r < min(start + ${part}u, ${own.count}u); r += ${tile.unroll}u) {`
      : `for (var r = 0u; r < ${own.count}u; r += ${tile.unroll}u) {`
  }
      ${range(tile.unroll).map(trip).join("\n      ")}
      }
      ${parts === "in a tap" ? `${closePart} }` : ""}
    }
    ${parts === "a row of taps" ? closePart : ""}
  }
  ${scaled && direct ? channels.map((a) => `let scale${a} = load_scale(block + ${a}u);`).join(" ") : ""}
  ${k.bias ? channels.map((a) => `let bias${a} = load_bias(block + ${a}u);`).join(" ") : ""}
  ${finish.join("\n  ")}
}`;
}
