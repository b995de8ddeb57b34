/** What commands say about GPU memory: what a plan will take, and what narrower weights cost in accuracy. */
import { type Device, GpuError, type Model, Net, type NetInput, type NetOptions, type PlannedMemory } from "../mod.ts";

/** Pieces at least so large are told one by one. */
const large = 2 ** 20;

/** The option that stores weights in fewer bits. */
export const weightsOption = {
  value: "KIND",
  help: "how weights are kept on the GPU: f32, f16 or i8 (as in the file)",
} as const;

/** What `--weights` takes. */
export const weightKinds = ["f32", "f16", "i8"] as const;

/** A plan in lines: the sums, then every large piece of memory and every one that is cut into parts. */
export function planLines(pieces: readonly PlannedMemory[]): string[] {
  const bytes = (list: readonly PlannedMemory[]) =>
    list.reduce((sum, { bytes }) => sum + bytes, 0).toLocaleString("en");
  const weights = pieces.filter(({ weight }) => weight), others = pieces.filter(({ weight }) => !weight);
  return [
    `plan: ${bytes(pieces)} bytes of GPU memory (weights ${bytes(weights)}, activations ${bytes(others)})`,
    ...[...weights, ...others].filter(({ bytes, parts }) => bytes >= large || parts > 1).map((piece) => {
      const name = piece.label.replace(/^slot for /, ""), label = name.length > 60 ? `${name.slice(0, 59)}…` : name;
      const parts = piece.parts > 1 ? `, in ${piece.parts} parts` : "";
      return `  ${label}: ${piece.bytes.toLocaleString("en")} bytes, ${piece.format}${parts}`;
    }),
  ];
}

/**
 * How far weights of this kind move a model's output on this input of one item: the largest difference from the output
 * with weights as stored, over the latter's largest magnitude. Undefined where these do not fit on the device.
 */
export async function narrowingError(
  device: Device,
  model: Model,
  input: NetInput,
  { weights, layer }: Pick<NetOptions, "weights" | "layer">,
): Promise<number | undefined> {
  const run = async (options: NetOptions) => {
    using net = await Net.create(device, model, { layer, ...options });
    return await net.forward(input);
  };
  try {
    const exact = await run({}), narrow = await run({ weights });
    const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = exact.reduce((most, value, i) => Math.max(most, Math.abs(value - narrow[i])), 0);
    return off === 0 ? 0 : off / largest;
  } catch (error) {
    if (error instanceof GpuError && error.kind === "out-of-memory") return undefined;
    throw error;
  }
}

/** What narrower weights change, in a line. */
export function narrowingLine(weights: string, changes: Record<string, number | undefined>): string {
  const parts = Object.entries(changes).map(([what, error]) =>
    error === undefined
      ? `${what} changes by what cannot be measured here, as the weights in the file do not fit`
      : `${what} changes by ${(100 * error).toPrecision(2)} % of its largest value`
  );
  return `weights in ${weights}: ${parts.join(", ")}`;
}
