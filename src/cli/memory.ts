/** What commands say about GPU memory: what a plan will take, and what narrower weights and arithmetic cost in accuracy. */
import { type Device, GpuError, type Model, Net, type NetOptions, type PlannedMemory, type Size } from "../mod.ts";

/** A picture's size in words. */
export const sizeText = ([height, width]: Size): string => `${width}×${height}`;

/** Pieces at least so large are told one by one. */
const large = 2 ** 20;

/** The option that stores weights in fewer bits. */
export const weightsOption = {
  value: "KIND",
  help: "how weights are kept on the GPU: f32, f16 or i8 (as in the file)",
} as const;

/** The option that computes in fewer bits. */
export const arithmeticOption = {
  value: "KIND",
  help: "what sums of products are computed in, forward: f32, or f16 where the adapter has shader-f16 (f32)",
} as const;

/** What a run asks for that is narrower than the files' weights and f32, or may be. */
export type Narrow = Pick<NetOptions, "weights" | "arithmetic">;

/** Whether a run asks for anything of it. */
export const isNarrow = ({ weights, arithmetic }: Narrow): boolean =>
  weights !== undefined || arithmetic !== undefined && arithmetic !== "f32";

/** A plan, for a picture of this size where there are several, in lines: the sums, then every large piece of memory and every one that is cut into parts. */
export function planLines(pieces: readonly PlannedMemory[], size?: Size): string[] {
  const bytes = (list: readonly PlannedMemory[]) =>
    list.reduce((sum, { bytes }) => sum + bytes, 0).toLocaleString("en");
  const weights = pieces.filter(({ weight }) => weight);
  const others = pieces.filter(({ weight }) => !weight);
  return [
    `plan${size ? ` for ${sizeText(size)}` : ""}: ${bytes(pieces)} bytes of GPU memory (weights ${
      bytes(weights)
    }, activations ${bytes(others)})`,
    ...[...weights, ...others].filter(({ bytes, parts }) => bytes >= large || parts > 1).map((piece) => {
      const name = piece.label.replace(/^slot for /, "");
      const label = name.length > 60 ? `${name.slice(0, 59)}…` : name;
      const parts = piece.parts > 1 ? `, in ${piece.parts} parts` : "";
      return `  ${label}: ${piece.bytes.toLocaleString("en")} bytes, ${piece.format}${parts}`;
    }),
  ];
}

/**
 * How far narrower weights and arithmetic move what `run` computes with a model: the largest difference from what it computes
 * with weights as stored and in f32, over the latter's largest magnitude. Infinite where values become so, undefined where
 * the weights as stored do not fit on the device.
 */
export async function narrowingError(
  device: Device,
  model: Model,
  { weights, arithmetic, ...options }: NetOptions,
  run: (net: Net) => Promise<Float32Array>,
): Promise<number | undefined> {
  const values = async (narrow: Narrow) => {
    using net = await Net.create(device, model, { ...options, ...narrow });
    return await run(net);
  };
  try {
    const exact = await values({});
    const narrow = await values({ weights, arithmetic });
    const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = exact.reduce((most, value, i) => Math.max(most, Math.abs(value - narrow[i])), 0);
    if (off === 0) return 0;
    return Number.isNaN(off) ? Infinity : off / largest;
  } catch (error) {
    if (error instanceof GpuError && error.kind === "out-of-memory") return undefined;
    throw error;
  }
}

/** What narrower weights and arithmetic change, in a line. */
export function narrowingLine({ weights, arithmetic }: Narrow, changes: Record<string, number | undefined>): string {
  const asked = [...weights ? [`weights in ${weights}`] : [], ...arithmetic ? [`arithmetic in ${arithmetic}`] : []];
  const parts = Object.entries(changes).map(([what, error]) =>
    error === undefined
      ? `${what} changes by what cannot be measured here, as the weights in the file do not fit`
      : error === Infinity
      ? `${what} has values that are no numbers any more, as they leave f16's range of ±65504`
      : `${what} changes by ${(100 * error).toPrecision(2)} % of its largest value`
  );
  return `${asked.join(", ")}: ${parts.join(", ")}`;
}
