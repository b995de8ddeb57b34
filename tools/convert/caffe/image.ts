/**
 * How pixels become the network's numbers: from what the user says, or else the data layer, or else the network's name.
 */
import { UserError } from "../../../src/formats/user_error.ts";
import type { ImageFormat } from "../../../src/net/network.ts";
import type { CaffeLayer } from "./layers.ts";

/** What the user says; absent what they do not. */
export interface ImageOptions {
  order?: "RGB" | "BGR";
  /** One for all channels, or one for each, in the network's order. */
  mean?: number[];
  scale?: number;
  /** Side that pictures are resized to before the input is cut from their middle. */
  resize?: number;
}

/** Caffe's own networks see the middle of pictures of this side. */
const usualSide = 256;

/** Networks whose mean everybody knows, by their name in lower case, blue first; all of them see 256 × 256's middle. */
const knownMeans: ReadonlyMap<string, number[]> = new Map([
  ...["alexnet", "caffenet", "googlenet"].map((name): [string, number[]] => [name, [104, 117, 123]]), // ImageNet's
  ["places205", [105.487823486, 113.741088867, 116.060394287]],
  ["resnet-50", [103.939, 116.779, 123.68]], // near its mean image
]);

/**
 * The image format and a sentence on where it comes from.
 * @param data The layer that reads pictures, where there is one.
 * @throws UserError where the means do not fit the channels.
 */
export function imageOf(
  [channels, ...size]: readonly number[],
  name: string,
  data: CaffeLayer | undefined,
  { order = "BGR", mean, scale, resize }: ImageOptions,
): { image: ImageFormat; origin: string; sure: boolean } {
  const transform = data?.transform, old = data?.settings;
  const written = transform?.numbers("mean_value") ?? [], file = transform?.text("mean_file") || old?.text("mean_file");
  const factor = scale ?? transform?.number("scale", 0) ?? 0, known = knownMeans.get(name.toLowerCase());
  const [means, origin] = mean
    ? [mean, "as given"] as const
    : written.length > 0
    ? [written, "from the prototxt"] as const
    : known?.length === channels
    ? [known, `known for ${name}`] as const
    : [[0], file ? `unknown: give --mean ${file}` : "unknown: give --mean"] as const;
  const side = resize ?? old?.integer("new_height", 0) ?? (known ? usualSide : 0), largest = Math.max(...size);
  if (resize !== undefined && resize < largest) {
    throw new UserError(`pictures resized to ${resize} are smaller than the input, ${size.join("×")}`);
  }
  if (means.length !== 1 && means.length !== channels) {
    throw new UserError(`the mean has ${means.length} values, the pictures have ${channels} channels`);
  }
  return {
    image: {
      order,
      mean: Array.from({ length: channels }, (_, c) => means[c] ?? means[0]),
      scale: factor || old?.number("scale", 1) || 1,
      ...(side > largest ? { resize: side } : {}),
    },
    origin,
    sure: !origin.startsWith("unknown"),
  };
}
