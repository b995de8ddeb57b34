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
}

/** Networks whose mean everybody knows, by their name in lower case, blue first. */
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
  channels: number,
  name: string,
  data: CaffeLayer | undefined,
  { order = "BGR", mean, scale }: ImageOptions,
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
  if (means.length !== 1 && means.length !== channels) {
    throw new UserError(`the mean has ${means.length} values, the pictures have ${channels} channels`);
  }
  return {
    image: {
      order,
      mean: Array.from({ length: channels }, (_, c) => means[c] ?? means[0]),
      scale: factor || old?.number("scale", 1) || 1,
    },
    origin,
    sure: !origin.startsWith("unknown"),
  };
}
