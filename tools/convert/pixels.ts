/**
 * How a conversion is told what a picture's numbers are, those of a classifier's input or of a generator's output alike:
 *
 *     number = (pixel − mean) · scale        or (pixel − mean) / std        pixels 0 … 255, or 0 … 1 with --range
 */
import type { Option, Values } from "../../src/cli/command.ts";
import { oneOf } from "../../src/cli/values.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { ImageFormat } from "../../src/net/network.ts";

/** What is said of pixels 0 … 255; what is not said is absent. */
export interface Pixels {
  order?: "RGB" | "BGR";
  /** One number for all channels, or one a channel in `order`. */
  mean?: number[];
  /** The same. */
  scale?: number | number[];
}

/** Usual formats. */
const presets = {
  "imagenet-torch": normalised([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  "imagenet-caffe": { order: "BGR", mean: [104, 117, 123], scale: 1 },
  "tf": normalised([0.5], [0.5]),
  "zero-one": normalised([0], [1]),
} satisfies Record<string, Pixels>;

/** The options, beside --mean, whose help differs. */
export const pixelOptions = {
  pixels: {
    value: "NAME",
    help: "a usual format: imagenet-torch; imagenet-caffe; tf (-1 to 1, as a tanh gives); zero-one (0 to 1)",
  },
  std: { value: "STD", help: "what pixels without their mean are divided by: one number, or one a channel" },
  scale: { value: "S", help: "what they are multiplied by instead: one number, or one a channel" },
} satisfies Record<string, Option>;

/** The option that says of which pixels the numbers are. */
export const rangeOption = (usual: Range): Option & { value: string } => ({
  value: "RANGE",
  help: `the pixels that --mean, --std and --scale are of: 0-255 or 0-1 (${usual})`,
});

const ranges = ["0-255", "0-1"] as const;
type Range = typeof ranges[number];

/** Pixels in torchvision's terms: of 0 … 1, red first. */
export function normalised(mean: readonly number[], std: readonly number[]): Pixels {
  return { order: "RGB", mean: mean.map((m) => short(255 * m)), scale: std.map((s) => short(1 / (255 * s))) };
}

/** How the options are read. */
export interface PixelReading {
  /** The range of pixels unless given. */
  usual: Range;
  /** The numbers of --mean, where they are read already. */
  mean?: number[];
  /** Whether what is not said is known all the same: that of published weights. */
  published?: true;
}

/**
 * Reads the options.
 * @throws UserError where one is no such number, or they contradict one another.
 */
export function readPixels(
  values: Partial<Values<typeof pixelOptions & Record<"mean" | "order" | "range", { value: string }>>>,
  { usual, mean: means, published }: PixelReading,
): Pixels {
  const preset = oneOf("--pixels", values.pixels, Object.keys(presets) as (keyof typeof presets)[]);
  const order = oneOf("--order", values.order, ["RGB", "BGR"]);
  const given = oneOf("--range", values.range, ranges);
  if (preset) {
    const other = (["mean", "std", "scale", "range"] as const).find((name) => values[name] !== undefined);
    if (other) throw new UserError(`--pixels ${preset} says all of it; leave out --${other}, or --pixels`);
    return inOrder(presets[preset], order);
  }
  if (values.std !== undefined && values.scale !== undefined) {
    throw new UserError("--std divides and --scale multiplies by the same; give one of them");
  }
  const mean = means ?? numbers("--mean", values.mean, -mostNumber);
  const std = numbers("--std", values.std, leastFactor);
  const scale = numbers("--scale", values.scale, leastFactor);
  const unit = 255 / Number((given ?? usual).slice(2)); // what a pixel of 1 in their terms is in ours
  checkRange(given, unit, { mean, std });
  if (published && given && !mean && !std && !scale) {
    throw new UserError(`--range ${given} says what --mean, --std and --scale are of; none of them is given`);
  }
  const factors = std?.map((s) => 1 / s) ?? scale ?? (given && !published ? [1] : undefined);
  return {
    ...(order && { order }),
    ...(mean && { mean: mean.map((m) => short(m * unit)) }),
    ...(factors && { scale: factors.map((factor) => short(factor / unit)) }),
  };
}

/** @throws UserError where the numbers are those of other pixels, or it is not clear of which. */
function checkRange(given: Range | undefined, unit: number, { mean, std }: { mean?: number[]; std?: number[] }): void {
  const beyond = mean?.some((m) => Math.abs(m) > 1) ? `--mean ${mean}` : std?.some((s) => s > 1) && `--std ${std}`;
  if (unit > 1 && beyond) {
    throw new UserError(`${beyond} is not of pixels from 0 to 1; --range 0-255 says that they go so far`);
  }
  if (unit > 1) return;
  if (std?.some((s) => s < 1) && (given || beyond)) {
    throw new UserError(
      `--std ${std} would divide pixels from 0 to 255 by less than 1; is it --scale, or --range 0-1?`,
    );
  }
  const small = [...mean ?? [], ...std ?? []].every((value) => Math.abs(value) <= 1);
  if (!given && small && (std || mean?.some((m) => m !== 0))) {
    const what = [mean && `--mean ${mean}`, std && `--std ${std}`].filter(Boolean).join(" and ");
    throw new UserError(`${what} may be of pixels from 0 to 1 or to 255; --range 0-1 or --range 0-255 says which`);
  }
}

/** The same colours' numbers for channels in another order. */
export function inOrder(pixels: Pixels, order: Pixels["order"]): Pixels {
  const { order: own, mean, scale } = pixels;
  if (!order || order === own) return pixels;
  return { order, mean: mean?.toReversed(), scale: typeof scale === "object" ? scale.toReversed() : scale };
}

/** The image format of a picture with so many channels. @throws UserError where there are not as many numbers. */
export function formatOf({ order = "RGB", mean = [0], scale = 1 }: Pixels, channels: number): ImageFormat {
  const each = (what: string, values: number[]) => {
    if (values.length === 1 || values.length === channels) {
      return Array.from({ length: channels }, (_, c) => values[c] ?? values[0]);
    }
    const has = `the picture has ${channels} ${channels === 1 ? "channel" : "channels"}`;
    throw new UserError(`${values.length} ${what} are given, ${has}`);
  };
  const means = each("means", mean);
  const scales = each("factors (--std, --scale)", [scale].flat());
  return { order, mean: means, scale: scales.every((s) => s === scales[0]) ? scales[0] : scales };
}

/** What becomes of pixels, for the user to see. */
export function pixelLine({ order, mean, scale }: ImageFormat, note: string): string {
  const times = scale === 1
    ? ""
    : ` and are multiplied by ${[scale].flat().map((s) => Number(s.toPrecision(6))).join(", ")}`;
  return `pixels lose ${mean.join(", ")}${times} (${mean.length === 1 ? "grey" : order}, ${note})`;
}

/** Whether anything is said of pixels. */
export const describes = (pixels: Pixels): boolean => Object.keys(pixels).length > 0;

/** Whether an item's shape is that of a picture, in colour or grey. */
export const isPicture = (shape: readonly number[]): boolean =>
  shape.length === 3 && [1, 3].includes(shape[0]) && shape[1] * shape[2] > 1;

/** Far beyond any mean or divisor of pixels, and far below any. */
const mostNumber = 1e6;
const leastFactor = 1e-9;

function numbers(option: string, text: string | undefined, least: number): number[] | undefined {
  const values = text?.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
  if (values?.every((value) => value >= least && value <= mostNumber) ?? true) return values;
  throw new UserError(
    `${option} expects a number, or one a channel like 104,117,123, from ${least} to ${mostNumber}, got "${text}"`,
  );
}

/** A number without what float64 rounded in its last digit. */
function short(value: number): number {
  return Number(value.toPrecision(15));
}
