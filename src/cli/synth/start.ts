/** Where synth's pictures start, and how far their codes may go: from files, or from the record of a picture. */
import type { Image } from "../../formats/image.ts";
import { refuseOthers } from "../../formats/kinds.ts";
import { asFloat32, readNpy } from "../../formats/npy.ts";
import { decodeImage } from "../../formats/png.ts";
import { valueCount } from "../../formats/shape.ts";
import { UserError } from "../../formats/user_error.ts";
import { codeBounds, type Device, type Model } from "../../mod.ts";
import { decodeCode } from "../../record/record.ts";
import { inputsOf, type Request, type Row } from "../../record/request.ts";
import { codeOf } from "../../record/start.ts";
import { readBounds } from "../bounds.ts";

/** Where the pictures start: one code for each, or a picture that has still to be turned into one. */
export interface Start {
  file: string;
  codes?: Float32Array[];
  picture?: Image;
  /** The shape of the .npy file, which --save-code keeps. */
  shape?: number[];
}

/** Reads where the pictures start, where that is not the seed. @throws UserError when a code does not fit. */
export async function readStart(
  { init, repeats, frames }: Request,
  { items, settings: { prior }, generator }: Pick<Row, "items" | "settings" | "generator">,
): Promise<Start | undefined> {
  const { shape: item } = generator.network.inputs[0];
  const size = valueCount(item);
  const count = frames ?? items.length;
  const saved = repeats?.record.start;
  if (saved) {
    const codes = items.map(({ start }) => decodeCode((start ?? saved).code, [size, count * size], repeats.file));
    return { file: saved.file, codes };
  }
  if (!init) return undefined;
  const { file, bytes } = init;
  refuseOthers(bytes, file, "a picture (PNG, JPEG) or codes (.npy)", "png", "jpeg", "npy");
  if (bytes[0] !== npyMagic) {
    const picture = await decodeImage(bytes, file);
    if (prior !== "fourier") return { file, picture };
    throw new UserError(`--init ${file} is a picture; the prior fourier starts from codes (.npy) or from a seed`);
  }
  const { shape, data } = readNpy(bytes, file);
  const values = asFloat32(data);
  const rowsOfCodes = values.length / size;
  if (rowsOfCodes !== 1 && (rowsOfCodes !== count || shape[0] !== rowsOfCodes)) {
    throw new UserError(
      `${file} has shape [${shape.join(", ")}]; expected one code of ${generator.name}, [${item.join(", ")}]` +
        (count > 1 ? `, or ${count} of them` : ""),
    );
  }
  if (!values.every(Number.isFinite)) throw new UserError(`${file} holds NaN or infinity`);
  const whole = rowsOfCodes === 1 || frames !== undefined; // each film starts from all of them
  const codes = items.map((_, i) => whole ? values : values.slice(i * size, (i + 1) * size));
  return { file, codes, shape };
}

/** The bounds of the code and where they came from, where they are not the generator's own. @throws UserError where they do not fit. */
export function readCodeBounds(
  { bounds, repeats }: Request,
  { generator, settings }: Pick<Row, "generator" | "settings">,
) {
  const size = valueCount(generator.network.inputs[0].shape);
  const saved = repeats?.record.bounds;
  if (saved) {
    return { file: saved.file, values: decodeCode(saved.code, [size, 2 * size], repeats!.file, "what bounds it") };
  }
  if (bounds) return { file: bounds.file, values: readBounds(bounds.bytes, bounds.file, generator, settings) };
  if (settings.sigmas > 0) codeBounds(generator, size, settings.sigmas); // which fails where there are no such
  return undefined;
}

/** The first byte of every .npy file, and of no PNG or JPEG. */
const npyMagic = 0x93;

/** The codes to start from. */
export async function startCodes(
  { codes, picture }: Start,
  device: Device,
  classifier: Model,
  row: Row,
  request: Request,
): Promise<Float32Array[]> {
  if (codes) return codes;
  const code = await codeOf(device, classifier, row, picture!, inputsOf(request), request.frames);
  return Array.from({ length: request.rows[0].items.length }, () => code);
}
