/**
 * Pictures through a model, many at a time: the middle of each, or all of it where the network warps, resized to the
 * model's input, or larger and then cut to it where the network says so.
 */
import type { Image } from "../formats/image.ts";
import { DamagedArchive } from "../formats/npz_items.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import {
  beyondFloat16,
  beyondFloat32,
  type Device,
  firstNonFinite,
  fittingOf,
  GpuError,
  type Model,
  Net,
  type NetOptions,
  pictureToInput,
  sequenceLayerOf,
} from "../mod.ts";
import { warn } from "./command.ts";
import { freeMemory } from "./free_memory.ts";
import { progress, stderrScreen } from "./progress.ts";
import { openReader, type Pictures } from "./reading.ts";

/** Pictures that run together. */
const most = 50;

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

/** Memory that a large photograph takes while it is decoded. */
const photograph = 2 ** 29;

/** So many workers read for an adapter: a CPU that computes has little to spare. */
const readersFor = ({ caps: { software } }: Device): number =>
  software
    ? 1
    : Math.max(1, Math.min(8, navigator.hardwareConcurrency >> 1, Math.floor(freeMemory() / 2 / photograph)));

/** How pictures run. */
export interface Running extends Pick<NetOptions, "layer" | "values" | "weights" | "arithmetic" | "choose" | "onPlan"> {
  /** What progress counts; pictures unless given. */
  unit?: string;
  /** How many pictures the sentences and the progress are about, where those that run are not just these. */
  total?: number;
  /** Leaves out the only picture too. */
  leavesOutAll?: boolean;
  /** Ends it after those that run. */
  signal?: AbortSignal;
}

/** What came of a picture beside its first output. */
export interface Outcome {
  /** All outputs. */
  outputs: Float32Array[];
  /** The picture in the size of the model's input. */
  picture: Image;
}

/**
 * Runs all pictures; `use` gets the output of each in order, in memory that the next one may take. One that cannot be used is
 * left out, for it shall not cost the work on all the others: a warning names it. While some run, the next are read.
 * @returns Why each was left out. @throws UserError where there is but one, or their archive is damaged.
 */
export async function runPictures(
  device: Device,
  model: Model,
  pictures: Pictures,
  { unit = "picture", total = pictures.count, leavesOutAll = false, signal, ...options }: Running,
  use: (output: Float32Array, index: number, outcome: Outcome) => void,
): Promise<string[]> {
  const fitting = fittingOf(model);
  const { count } = pictures;
  const together = sequenceLayerOf(model, options.layer) ? 1 : Math.min(most, count); // pictures are no sequence
  using net = await largestNet(device, model, options, together);
  const { batch } = net;
  const size = valueCount(net.inputShape);
  using reader = openReader(pictures, fitting, count > batch ? readersFor(device) : 0);
  // Photographs take seconds to decode: who looks on is told of a few, a log only of many.
  const screen = stderrScreen(false);
  const watched = screen?.columns !== undefined && count > 1;
  const bar = progress(unit, watched || count > batch ? screen : undefined);
  const leftOut: string[] = [];
  const counted = Math.min(total, count);
  let done = 0;
  const readOrRefuse = async (index: number): Promise<Image | UserError> => {
    try {
      return await reader.read(index);
    } catch (error) {
      if (!(error instanceof UserError) || error instanceof DamagedArchive || count === 1 && !leavesOutAll) throw error;
      return error;
    } finally {
      bar.show({ done: Math.min(++done, counted), total: counted, note: "" });
    }
  };
  /** The pictures from the first on, as many as run together. */
  const load = async (first: number) => {
    const inputs = new Float32Array(batch * size);
    const loaded: { index: number; picture: Image }[] = [];
    const all = Array.from({ length: Math.min(batch, count - first) }, (_, i) => readOrRefuse(first + i));
    for (const [i, picture] of (await Promise.all(all)).entries()) {
      if (picture instanceof UserError) {
        leftOut.push(picture.message);
        warn(`left out: ${picture.message}`);
        continue;
      }
      inputs.set(pictureToInput(model.network, picture), loaded.length * size);
      loaded.push({ index: first + i, picture });
    }
    return { inputs, loaded };
  };
  try {
    let now = await load(0);
    for (let first = 0; first < count && !signal?.aborted; first += batch) {
      // Asked for before the net runs, for an adapter may keep this thread until it has computed.
      const [next, values] = await Promise.all([load(first + batch), net.forwardAll(now.inputs)]);
      now.loaded.forEach(({ index, picture }, i) => {
        const outputs = values.map((all) => all.subarray(i * all.length / batch, (i + 1) * all.length / batch));
        outputs.forEach((output, n) => {
          const at = firstNonFinite(output);
          const layer = options.values?.[n] ?? options.layer;
          if (at >= 0) throw notFinite(output[at], `of picture ${index + 1}`, model, { ...options, layer });
        });
        use(outputs[0], index, { outputs, picture });
      });
      now = next;
    }
  } finally {
    bar.end();
  }
  if (leftOut.length > 0) warn(`left out: ${leftOut.length} of ${total} pictures`);
  return leftOut;
}
