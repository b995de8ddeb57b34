/**
 * Convolutions of three spatial dimensions by those of two: the planes of a volume lie one below the other in one tall map,
 * and the kernel's taps along the depth are channels, in the order in which the weight has them already.
 *
 *     Conv           x [c, d, h, w] → for each tap the planes that it sees → [c · taps, d · h, w] → conv2d → planes
 *     ConvTranspose  x → [c, d · h, w] → deconv2d → [channels, taps, d, h, w] → the planes of each tap at their place → sum
 */
import { UserError } from "../../../src/formats/user_error.ts";
import type { Trace, Traced } from "./trace.ts";
import { parameters, reach, type Windows } from "./windows.ts";

/** What convolves. */
interface Kernel {
  channels: number;
  groups: number;
  bias: boolean;
  values: { weight: ArrayLike<number>; bias?: ArrayLike<number> };
}

/** Positions added before and after along a dimension, or taken away. */
function padded(trace: Trace, x: Traced, axis: number, before: number, after: number): Traced {
  return before === 0 && after === 0 ? x : trace.add("pad", { axis, before, after }, [x]);
}

/** The windows of a tall map: its rows are padded plane by plane. */
const ofPlanes = (w: Windows): Record<string, unknown> =>
  parameters({ ...w, before: w.before.with(1, 0), after: w.after.with(1, 0) }, 1, 3);

/** Conv. */
export function convVolume(trace: Trace, x: Traced, w: Windows, { channels, groups, bias, values }: Kernel): Traced {
  const [depths, heights] = [0, 1].map((a) =>
    Math.floor((x.item[a + 1] + w.before[a] + w.after[a] - reach(w, a)) / w.stride[a]) + 1
  );
  if (Math.min(depths, heights) < 1) throw new UserError(`a kernel of [${w.kernel}] does not fit into [${x.item}]`);
  // Whole strides of rows to a plane, so that every plane begins with a window; planes of whole strides for every tap.
  const rows = w.stride[1] * Math.ceil((x.item[2] + w.before[1] + w.after[1]) / w.stride[1]);
  const planes = depths * w.stride[0] + w.dilation[0] * (w.kernel[0] - 1);
  const deep = padded(trace, x, 1, w.before[0], planes - x.item[1] - w.before[0]);
  const whole = padded(trace, deep, 2, w.before[1], rows - x.item[2] - w.before[1]);
  const [c, , , columns] = whole.item;
  const taps = Array.from({ length: w.kernel[0] }, (_, k) => {
    const from = k * w.dilation[0];
    const count = depths * w.stride[0];
    const run = trace.add("slice", { axis: 1, from, count }, [whole]);
    const strided = trace.reshape(run, [c, depths, w.stride[0], rows * columns]);
    const seen = w.stride[0] === 1 ? strided : trace.add("slice", { axis: 2, from: 0, count: 1 }, [strided]);
    return trace.reshape(seen, [c, 1, depths * rows, columns]);
  });
  const tall = trace.alongFirst(taps, 1, (parts) => parts.length === 1 ? parts[0] : trace.add("concat", {}, parts));
  const map = trace.reshape(tall, [c * w.kernel[0], depths * rows, columns]);
  const y = trace.add("conv2d", { channels, ...ofPlanes(w), groups, bias }, [map], { ...values });
  const steps = rows / w.stride[1];
  const [, made, width] = y.item;
  const all = trace.reshape(padded(trace, y, 1, 0, depths * steps - made), [channels, depths, steps, width]);
  return padded(trace, all, 2, 0, heights - steps);
}

/** ConvTranspose, with `extra` positions after each dimension. */
export function convTransposeVolume(
  trace: Trace,
  x: Traced,
  w: Windows,
  extra: readonly number[],
  { channels, groups, bias, values }: Kernel,
): Traced {
  const [, depth, height, columns] = x.item;
  const taps = w.kernel[0];
  const [depths, heights] = [0, 1].map((a) =>
    w.stride[a] * (x.item[a + 1] - 1) + reach(w, a) + extra[a] - w.before[a] - w.after[a]
  );
  if (Math.min(depths, heights) < 1) throw new UserError(`its pads leave nothing of [${x.item}]`);
  // Rows of zeros after each plane keep what its last rows reach apart from the next.
  const rows = height - 1 + Math.ceil(reach(w, 1) / w.stride[1]);
  const high = rows * w.stride[1];
  const tall = trace.reshape(padded(trace, x, 2, 0, rows - height), [x.item[0], depth * rows, columns]);
  const params = { channels: channels * taps, ...ofPlanes(w), groups, bias: false, outputPadding: [0, extra[2]] };
  const y = trace.add("deconv2d", params, [tall], { weight: values.weight });
  const [, made, width] = y.item;
  const planes = trace.reshape(padded(trace, y, 1, 0, depth * high - made), [channels, taps, depth, high, width]);
  const cut = padded(trace, planes, 3, -w.before[1], heights - high + w.before[1]);
  const parts = Array.from({ length: taps }, (_, k) => k).flatMap((k) => {
    const long = depth * w.stride[0];
    const before = k * w.dilation[0] - w.before[0];
    if (before + long <= 0 || before >= depths) return []; // all of it is cut away
    const own = trace.add("slice", { axis: 1, from: k, count: 1 }, [cut]);
    const apart = padded(trace, trace.reshape(own, [channels, depth, 1, heights * width]), 2, 0, w.stride[0] - 1);
    const strided = trace.reshape(apart, [channels, long, heights * width]);
    return [
      trace.reshape(padded(trace, strided, 1, before, depths - long - before), [channels, depths, heights, width]),
    ];
  });
  const sum = parts.length === 1 ? parts[0] : trace.add("eltwise", { operation: "sum" }, parts);
  return bias ? trace.affine(sum, 1, values.bias) : sum;
}
