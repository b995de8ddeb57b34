/** What of a picture excites a unit: the picture many times over, with a window that hides a part of it (`synth/occlusion.ts`). */
import { markRegion } from "../../src/formats/marks.ts";
import {
  type Device,
  fieldBox,
  meanColour,
  type Model,
  occluded,
  type Picture,
  regionOf,
  showTarget,
  type UnitLayer,
  unitsTarget,
  windowsOver,
} from "../../src/mod.ts";
import { type Going, through } from "./through.ts";

/** A unit, how strong it is on the picture, and where in its map. */
interface Unit {
  unit: number;
  activation: number;
  at: [x: number, y: number];
}

/** Windows along the picture's shorter side. */
const WINDOWS = 8;

/** The picture, as light as it excites the unit, what does so most outlined. @throws UserError, GpuError as `through` does. */
export async function regionIn(
  device: Device,
  model: Model,
  { name, channels, height, width }: UnitLayer,
  { unit, activation, at }: Unit,
  picture: Picture,
  going: Going,
): Promise<Picture> {
  const place = height * width > 1 ? at : undefined;
  const field = fieldBox(model, showTarget(unitsTarget({ layer: name, units: [unit], at: place })));
  const side = Math.max(1, Math.round(Math.min(picture.width, picture.height) / WINDOWS));
  const windows = windowsOver(field, side);
  const drops = new Float64Array(windows.length);
  const colour = meanColour(picture);
  const read = (n: number) => occluded(picture, windows[n], colour);
  await through(device, model, name, { count: windows.length, read }, (values, n) => {
    const area = values.length / channels;
    drops[n] = activation - values[unit * area + at[1] * width + at[0]];
  }, going);
  return markRegion(picture, regionOf(picture, windows, drops));
}
