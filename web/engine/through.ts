/** Pictures through a classifier, several at a time. */
import { despiteLosses, type Device, type Model, Net, type Picture, pictureToInput } from "../../src/mod.ts";

/** Pictures that are read as they are needed. */
export interface Pictures {
  count: number;
  read(n: number): Picture | Promise<Picture>;
}

/** How they go. */
export interface Going {
  signal?: AbortSignal;
  onDone?(done: number, total: number): void;
}

/** The most at a time, and values of their inputs. */
const MOST = 16;
const MOST_VALUES = 2 ** 20;

/**
 * Tells what a layer, named as a search names it, has for each picture, one after the other.
 * @param pictures Of the classifier's input size.
 * @throws UserError where there is no such layer, GpuError where the device fails, the signal's reason when it ends this.
 */
export async function through(
  device: Device,
  model: Model,
  layer: string,
  { count, read }: Pictures,
  visit: (values: Float32Array, n: number) => void,
  { signal, onDone }: Going = {},
): Promise<void> {
  const size = model.network.inputs[0].shape.reduce((product, side) => product * side, 1);
  const batch = Math.max(1, Math.min(MOST, count, Math.floor(MOST_VALUES / size)));
  let done = 0;
  const goOn = async () => {
    const net = await Net.create(device, model, { batch, values: [layer] });
    try {
      for (; done < count; done += batch) {
        signal?.throwIfAborted();
        onDone?.(done, count);
        const some = Math.min(batch, count - done);
        const input = new Float32Array(batch * size);
        for (let n = 0; n < some; n++) input.set(pictureToInput(model.network, await read(done + n)), n * size);
        const values = await net.forward(input);
        const own = values.length / batch;
        for (let n = 0; n < some; n++) visit(values.subarray(n * own, (n + 1) * own), done + n);
      }
    } finally {
      net[Symbol.dispose]();
    }
  };
  await despiteLosses(device, goOn, () => {});
}
