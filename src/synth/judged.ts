/** What a classifier says of pictures once a search has made them. */
import { readMap, writeMap } from "../gpu/map.ts";
import type { Device } from "../gpu/device.ts";
import type { Value } from "../net/graph.ts";
import { Net } from "../net/net.ts";
import { buildPlan } from "../net/plan.ts";
import { feedOf } from "./encode.ts";
import { join } from "./joined.ts";
import type { Stage } from "./stages.ts";

/** The classifier's output for each image. */
export async function outputsOfImages(
  device: Device,
  { options, joined }: Stage,
  images: Float32Array,
): Promise<Float32Array> {
  const { classifier, weights, arithmetic, choose, targets: { length: batch } } = options;
  const net = await Net.create(device, classifier, { batch, weights, arithmetic, choose });
  return await net.forward(feedOf(classifier, joined.given, images, batch)).finally(() => net[Symbol.dispose]());
}

/** The same, or its logits, for each code, whose picture the classifier sees as it is and in its own size; in windows where there are some. */
export async function outputsOfCodes(
  device: Device,
  { options, classifier }: Stage,
  codes: Float32Array,
  which: "output" | "logits",
  windowSize?: number,
): Promise<Float32Array> {
  const { generator, prior, fit, interpolation, set, frames, weights: storage, arithmetic, choose } = options;
  const { graph, code, given, [which]: output } = join(generator, classifier, {
    prior,
    fit,
    interpolation,
    set,
    frames,
  });
  const batch = options.targets.length;
  const plan = await buildPlan(device, { graph, batch, windowSize, wanted: [output], storage, arithmetic, choose });
  const feed = (input: Value, values: Float32Array) => {
    const tensor = plan.tensors.of(input);
    writeMap(device, tensor, values);
  };
  try {
    feed(code, codes);
    for (const [input, values] of given) feed(input, values(batch));
    plan.submit(1, true);
    const tensor = plan.tensors.of(output);
    return await readMap(device, tensor);
  } finally {
    plan[Symbol.dispose]();
  }
}
