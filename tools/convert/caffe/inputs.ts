/**
 * What a Caffe network is given: its `input` lines, or the layers that read data, which end where pictures come in.
 *
 * Shapes lose their batch. Of what a data layer makes, only what the kept layers read is an input: labels are not.
 */
import { UserError } from "../../../src/formats/user_error.ts";
import { checkShape } from "../../../src/net/network.ts";
import type { CaffeLayer } from "./layers.ts";
import type { Message } from "./message.ts";

/** One input; without a shape where its layer does not tell. */
export interface CaffeInput {
  name: string;
  shape?: number[];
  /** How many items the prototxt gives at a time, where it tells. */
  batch?: number;
  /** Where it stands, as errors name it. */
  where: string;
}

/** The layers that read data, and what their parameters are called. */
export const dataLayers: Readonly<Record<string, string>> = {
  Input: "input_param",
  Data: "data_param",
  ImageData: "image_data_param",
  WindowData: "window_data_param",
  MemoryData: "memory_data_param",
  DummyData: "dummy_data_param",
  HDF5Data: "hdf5_data_param",
};

/** The inputs that the network's own lines declare. @throws UserError where names and shapes do not match. */
export function declaredInputs(net: Message): CaffeInput[] {
  const names = net.texts("input");
  const shapes = net.messages("input_shape");
  const numbers = net.integers("input_dim", 1);
  const where = net.where;
  if (shapes.length > 0 ? shapes.length !== names.length : numbers.length !== 4 * names.length) {
    throw new UserError(
      `${where}: ${names.length} "input" with ${shapes.length} "input_shape" and ${numbers.length} "input_dim", ` +
        "expected one shape or four numbers for each",
    );
  }
  return names.map((name, i) => ({
    name,
    where: `${where}: input ${JSON.stringify(name.slice(0, 60))}`,
    ...withoutBatch(shapes.length > 0 ? dims(shapes[i]) : numbers.slice(4 * i, 4 * i + 4), where),
  }));
}

/** The inputs that a data layer makes, one for each top. @throws UserError where its shapes are none. */
export function layerInputs({ type, tops, where, settings, transform }: CaffeLayer): CaffeInput[] {
  const input = (name: string, known?: Pick<CaffeInput, "shape" | "batch">) => ({ name, where, ...known });
  if (type === "Input" || type === "DummyData") {
    const shapes = settings.messages("shape").map(dims);
    const four = ["num", "channels", "height", "width"].map((name) => settings.integers(name, 1));
    if (shapes.length === 0) four[0].forEach((_, i) => shapes.push(four.map((values) => values[i] ?? values[0])));
    if (shapes.length > 1 && shapes.length !== tops.length) {
      throw new UserError(`${where}: ${shapes.length} shapes for ${tops.length} tops`);
    }
    return tops.map((top, i) => input(top, shapes.length ? withoutBatch(shapes[i] ?? shapes[0], where) : undefined));
  }
  const [picture, ...labels] = tops;
  if (picture === undefined) return [];
  const one = (name: string) => transform.integer(name, 0) || settings.integer(name, 0) || undefined;
  const crop = one("crop_size");
  const height = one("crop_h") ?? crop ?? one("height") ?? one("new_height");
  const width = one("crop_w") ?? crop ?? one("width") ?? one("new_width");
  const means = transform.count("mean_value");
  const grey = transform.boolean("force_gray", false) || !settings.boolean("is_color", true);
  const channels = one("channels") ?? (grey ? 1 : means > 1 ? means : 3);
  const known = type !== "HDF5Data" && height !== undefined && width !== undefined;
  return [
    input(picture, known ? { shape: checkShape([channels, height, width], where) } : undefined),
    ...labels.map((l) => input(l)),
  ];
}

const dims = (shape: Message): number[] => {
  const result = shape.integers("dim", 1);
  shape.done("a shape");
  return result;
};

function withoutBatch(shape: number[], where: string): { shape: number[]; batch: number } {
  if (shape.length < 2) {
    throw new UserError(
      `${where}: its shape is [${shape}], expected [batch, channels, height, width], [batch, features] or the like`,
    );
  }
  return { shape: checkShape(shape.slice(1), where), batch: shape[0] };
}
