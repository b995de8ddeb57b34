/**
 * How pixels become the network's numbers: from what the user says, or else the data layer, or else the network's name.
 */
import { UserError } from "../../../src/formats/user_error.ts";
import type { ImageFormat } from "../../../src/net/network.ts";
import { formatOf, type Pixels } from "../pixels.ts";
import type { CaffeLayer } from "./layers.ts";

/** What the user says; absent what they do not. */
export interface ImageOptions extends Pixels {
  /** Side that pictures are resized to before the input is cut from their middle. */
  resize?: number;
  /** Whether whole pictures are resized so, whatever their sides, in place of their centre square. */
  warp?: boolean;
}

/** Caffe's own networks see the middle of pictures of this side. */
const usualSide = 256;

/** What everybody knows of a network: its mean, blue first, and whether it was tested on warped pictures. */
interface KnownImage {
  mean: number[];
  warp?: true;
}

/** Known networks by their name in lower case; all of them see 256 × 256's middle. */
const knownImages: ReadonlyMap<string, KnownImage> = new Map([
  ...["alexnet", "caffenet", "googlenet"].map((name): [string, KnownImage] => [
    name,
    { mean: [104, 117, 123], warp: true }, // ImageNet's; convert_imageset squeezes every picture to 256 × 256
  ]),
  ["places205", { mean: [105.487823486, 113.741088867, 116.060394287], warp: true }],
  ["resnet-50", { mean: [103.939, 116.779, 123.68] }], // near its mean image; its shorter side becomes 256
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
  { order = "BGR", mean, scale, resize, warp }: ImageOptions,
): { image: ImageFormat; origin: string; sure: boolean } {
  const transform = data?.transform;
  const old = data?.settings;
  const written = transform?.numbers("mean_value") ?? [];
  const file = transform?.text("mean_file") || old?.text("mean_file");
  const factor = scale ?? (transform?.number("scale", 0) || old?.number("scale", 1) || 1);
  const known = knownImages.get(name.toLowerCase());
  const [means, origin] = mean
    ? [mean, "as given"] as const
    : written.length > 0
    ? [written, "from the prototxt"] as const
    : known?.mean.length === channels
    ? [known.mean, `known for ${name}`] as const
    : [[0], file ? `unknown: give --mean ${file}` : "unknown: give --mean"] as const;
  const resized = old?.integer("new_height", 0) ?? 0;
  const largest = Math.max(...size); // an ImageData layer's, which warps
  const side = resize ?? (resized || (known ? usualSide : 0));
  const warped = warp || resized > 0 || known?.warp;
  if (resize !== undefined && resize < largest) {
    throw new UserError(`pictures resized to ${resize} are smaller than the input, ${size.join("×")}`);
  }
  return {
    image: {
      ...formatOf({ order, mean: [...means], scale: factor }, channels),
      ...(side > largest ? { resize: side } : {}),
      ...(warped ? { warp: true } : {}),
    },
    origin,
    sure: !origin.startsWith("unknown"),
  };
}
