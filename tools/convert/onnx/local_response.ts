/**
 * Local response normalisation as PyTorch writes it, in many operators, is one lrn layer again:
 *
 *     x / (k + alpha · average of x² over `size` channels)^beta,   its average a pooling of zero-padded channels
 */
import { valueCount } from "../../../src/formats/shape.ts";
import { run } from "./positions.ts";
import { isTraced, type Made, type Operand, type Trace, type Traced } from "./trace.ts";

/** Products within products that are looked into. */
const MOST_DEPTH = 8;

/** The layer of a type that makes a value, or makes what it is only another shape of. */
function makerOf(value: Traced, type: string): Made | undefined {
  const { maker } = value.maker?.type === "reshape" ? value.maker.inputs[0] : value;
  return maker?.type === type ? maker : undefined;
}

/** A value as a power of another. */
function asPower(y: Traced, depth = 0): { base: Traced; exponent: number } {
  const { maker } = y;
  const of = (n: number) => asPower(maker!.inputs[n], depth + 1);
  if (maker?.type === "power") return { base: maker.inputs[0], exponent: maker.params.exponent as number };
  if (maker?.type === "sqrt") return { base: maker.inputs[0], exponent: 0.5 };
  if (maker?.type === "eltwise" && maker.params.operation === "product" && depth < MOST_DEPTH) {
    const parts = maker.inputs.map((_, n) => of(n));
    if (parts.every(({ base }) => base === parts[0].base)) {
      return { base: parts[0].base, exponent: parts.reduce((sum, { exponent }) => sum + exponent, 0) };
    }
  }
  return { base: y, exponent: 1 };
}

/** The value that all of a weight's numbers are. */
function single(values: ArrayLike<number>): number | undefined {
  const all = Array.from(values);
  return all.every((value) => value === all[0]) ? all[0] : undefined;
}

/** A value as factor · another + shift, the same for all channels. */
function asStraight(y: Traced): { of: Traced; factor?: number; shift?: number } {
  const shifted = makerOf(y, "bias");
  const source = shifted?.inputs[0] ?? y;
  const scaled = makerOf(source, "scale");
  const shift = shifted ? single(shifted.weights.bias.values) : 0;
  if (!scaled) return { of: source, factor: 1, shift };
  const own = scaled.params.bias ? undefined : single(scaled.weights.weight.values);
  return { of: scaled.inputs[0], factor: own, shift };
}

/** Where an average of x² over neighbouring channels, which there are so many of, begins before each, and of how many it is. */
function windowOf(average: Traced, x: Traced, channels: number): { before: number; size: number } | undefined {
  const pool = makerOf(average, "avgpool");
  const pad = pool && makerOf(pool.inputs[0], "pad");
  const square = pad && makerOf(pad.inputs[0], "eltwise");
  if (square?.params.operation !== "product" || square.inputs.some((input) => input !== x)) return undefined;
  const [axis, before, after] = ["axis", "before", "after"].map((name) => Number(pad!.params[name]));
  const { mode = "constant", value = 0 } = pad!.params;
  const { kernel, stride = 1, dilation = 1, padding = 0 } = pool!.params;
  const size = before + after + 1;
  const { item } = pad!.inputs[0];
  const [lead, padded] = pool!.inputs[0].item;
  const along = valueCount(item.slice(0, axis)) === 1 && item[axis] === channels;
  const runs = lead === 1 && padded === channels + size - 1 && String(kernel) === String([size, 1]);
  const plain = stride === 1 && dilation === 1 && padding === 0 && mode === "constant" && value === 0 && before >= 0;
  return along && runs && plain && average.item.join() === x.item.join() ? { before, size } : undefined;
}

/** The lrn layer that a quotient is, where it is one. */
export function localResponse(trace: Trace, x: Operand, by: Operand): Traced | undefined {
  if (!isTraced(x) || !isTraced(by)) return undefined;
  const { base, exponent: beta } = asPower(by);
  const { of, factor: alpha, shift: k } = asStraight(base);
  const window = windowOf(of, x, trace.shapeOf(x)[1]);
  if (!window || alpha === undefined || k === undefined) return undefined;
  const { before, size } = window;
  return trace.perItem(x, (x) => {
    const lrn = (x: Traced) => trace.add("lrn", { size, alpha, beta, k }, [x]);
    if (before === Math.floor((size - 1) / 2)) return lrn(x);
    // Of an even number of channels there is one more before the middle, which the layer has after it.
    const turned = (x: Traced) => run(trace, x, 0, x.item[0] - 1, x.item[0], -1);
    return turned(lrn(turned(x)));
  });
}
