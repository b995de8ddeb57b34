/** What of pictures excites units: each picture many times over, with a window that hides a part of it (`synth/occlusion.ts`). */
import type { Image } from "../formats/image.ts";
import {
  type Box,
  type Device,
  meanColour,
  type Model,
  type NetOptions,
  occluded,
  type Region,
  regionOf,
  windowsOver,
} from "../mod.ts";
import { runPictures } from "./pictures.ts";

/** A unit on a picture of the input's size. */
export interface Excited {
  image: Image;
  activation: number;
  /** The unit's place among the layer's values. */
  value: number;
  /** What it sees of the picture; all of it unless given. */
  field?: Box;
}

/**
 * The region of each picture that excites its unit.
 * @param size The window's side in pixels.
 */
export async function regionsOf(
  device: Device,
  model: Model,
  layer: string,
  all: readonly Excited[],
  size: number,
  how: Pick<NetOptions, "choose" | "onPlan"> & { signal: AbortSignal },
): Promise<Region[]> {
  const windows = all.map(({ image, field }) => windowsOver(field ?? { left: 0, top: 0, ...sidesOf(image) }, size));
  const drops = windows.map(({ length }) => new Float64Array(length));
  const colours = all.map(({ image }) => meanColour(image));
  const hidings = windows.flatMap((list, n) => list.map((box, place) => ({ n, box, place })));
  const read = (index: number) => occluded(all[hidings[index].n].image, hidings[index].box, colours[hidings[index].n]);
  await runPictures(
    device,
    unfitted(model),
    { count: hidings.length, read },
    { unit: "hidden part", values: [layer], ...how },
    (output, index) => {
      const { n, place } = hidings[index];
      drops[n][place] = all[n].activation - output[all[n].value];
    },
  );
  return all.map(({ image }, n) => regionOf(image, windows[n], drops[n]));
}

const sidesOf = ({ width, height }: Image) => ({ width, height });

/** The model, for pictures that have its input's size already. */
const unfitted = (model: Model): Model => {
  const { network } = model;
  const { image } = network;
  return { ...model, network: { ...network, image: image && { ...image, resize: undefined, warp: undefined } } };
};
