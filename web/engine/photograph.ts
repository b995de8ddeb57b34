/** What a classifier makes of a photograph: its strongest units, at the end and in every layer. */
import type { Image } from "../../src/formats/image.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { type Device, encode, fitted, layerUnits, type Model, Net, pictureToInput, rank } from "../../src/mod.ts";
import type { Pair } from "./pair.ts";
import type { LayerView, Photograph } from "./messages.ts";

/** A photograph as the networks see it. */
export interface Seen {
  name: string;
  input: Float32Array;
  /** Its code, where the generator inverts a layer of this classifier. */
  code?: Float32Array;
}

/** Units that are told of a layer. */
const MOST = 8;

/** Looks at a photograph. @throws UserError where the classifier takes no square pictures. */
export async function lookAt(
  image: Image,
  name: string,
  device: Device,
  { classifier, generator }: Pair,
): Promise<{ seen: Seen; photograph: Photograph }> {
  const picture = fitted(classifier, image), input = pictureToInput(classifier.network, picture);
  const { name: layer } = layerUnits(classifier), { values } = await run(device, classifier, layer, input);
  const code = await encode(device, classifier, generator, picture).catch((error) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  const top = rank(classifier, values, 5);
  return { seen: { name, input, code }, photograph: { name, picture, top, starts: code !== undefined } };
}

/** The strongest units of a layer on a photograph, and where in their maps they are strongest. */
export async function strongest(
  device: Device,
  classifier: Model,
  layer: string,
  input: Float32Array,
): Promise<LayerView> {
  const { values, channels, width } = await run(device, classifier, layer, input), area = values.length / channels;
  const units = Array.from({ length: channels }, (_, unit) => {
    const map = values.subarray(unit * area, (unit + 1) * area), activation = map.reduce((a, b) => Math.max(a, b));
    const place = map.indexOf(activation), at: [number, number] = [place % width, Math.floor(place / width)];
    return { unit, activation, at };
  });
  return { layer, units: units.sort((a, b) => b.activation - a.activation).slice(0, MOST) };
}

async function run(device: Device, classifier: Model, layer: string, input: Float32Array) {
  const { channels, width } = layerUnits(classifier, layer), net = await Net.create(device, classifier, { layer });
  try {
    return { values: await net.forward(input), channels, width };
  } finally {
    net[Symbol.dispose]();
  }
}
