/**
 * Pictures through a model, many at a time: the centre square of each, or all of it where the network warps, resized to
 * the model's input, or larger and then cut to it where the network says so.
 */
import type { Image } from "../formats/image.ts";
import { decodeImage } from "../formats/png.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import {
  beyondFloat16,
  beyondFloat32,
  type Device,
  firstNonFinite,
  GpuError,
  inputOf,
  inputSize,
  type Model,
  Net,
  type NetOptions,
  sequenceLayerOf,
} from "../mod.ts";
import { warn } from "./command.ts";
import { readBytes } from "./files.ts";
import { progress, stderrScreen } from "./progress.ts";

/** Pictures that run together. */
const most = 50;

/** Pictures that are read when their turn comes, so that few are in memory; undefined for one that is left out. */
export interface Pictures {
  count: number;
  read(index: number): Image | undefined | Promise<Image | undefined>;
}

/** A picture; undefined, with a warning, for one that is damaged: it shall not cost the work on all the others. */
export async function readPicture(file: string): Promise<Image | undefined> {
  const bytes = await readBytes(file);
  try {
    return await decodeImage(bytes, file);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(`left out: ${error.message}`);
  }
}

/** The net for so many pictures at a time, or for half of them, and again, until it fits. */
async function largestNet(device: Device, model: Model, options: NetOptions, batch: number): Promise<Net> {
  try {
    return await Net.create(device, model, { ...options, batch });
  } catch (error) {
    if (!(error instanceof GpuError && error.kind === "out-of-memory") || batch === 1) throw error;
    return await largestNet(device, model, options, Math.ceil(batch / 2));
  }
}

/** What to say of an output that holds NaN or infinity. */
export function notFinite(
  value: number,
  of: string,
  { where, network }: Model,
  { layer, arithmetic, weights }: Pick<NetOptions, "layer" | "arithmetic" | "weights">,
): UserError {
  const beyond = arithmetic === "f16" || weights === "f16" ? beyondFloat16 : beyondFloat32;
  const name = layer ?? network.layers.at(-1)!.output;
  return new UserError(`${where}: ${name} ${of} holds ${value}: ${beyond}; are its weights too large?`);
}

/** Runs all pictures; `use` gets the output of each in order, in memory that the next one may take. */
export async function runPictures(
  device: Device,
  model: Model,
  { count, read }: Pictures,
  options: Pick<NetOptions, "layer" | "weights" | "arithmetic" | "choose" | "onPlan">,
  use: (output: Float32Array, index: number) => void,
): Promise<void> {
  inputSize(model);
  const together = sequenceLayerOf(model, options.layer) ? 1 : Math.min(most, count); // pictures are no sequence
  using net = await largestNet(device, model, options, together);
  const { batch } = net;
  const size = valueCount(net.inputShape), units = valueCount(net.outputShape), inputs = new Float32Array(batch * size);
  // Photographs take seconds to decode: who looks on is told of a few, a log only of many.
  const screen = stderrScreen(false), watched = screen?.columns !== undefined && count > 1;
  const bar = progress("picture", watched || count > batch ? screen : undefined);
  let waiting: number[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const picture = await read(index);
      if (picture) {
        inputs.set(inputOf(model, picture), waiting.length * size);
        waiting.push(index);
      }
      bar.show({ done: index + 1, total: count, note: "" });
      if (waiting.length < batch && index < count - 1 || waiting.length === 0) continue;
      const values = await net.forward(inputs);
      waiting.forEach((index, i) => {
        const output = values.subarray(i * units, (i + 1) * units), at = firstNonFinite(output);
        if (at >= 0) throw notFinite(output[at], `of picture ${index + 1}`, model, options);
        use(output, index);
      });
      waiting = [];
    }
  } finally {
    bar.end();
  }
}
