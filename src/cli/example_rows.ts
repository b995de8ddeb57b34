/** The examples of each unit as they are told and shown: where in its picture each excites the unit, and a sheet of them all. */
import { contactSheet, type Image, part } from "../formats/image.ts";
import { centred, markRegion } from "../formats/marks.ts";
import {
  type Box,
  fieldBox,
  labelOf,
  type Model,
  type Region,
  showTarget,
  type UnitLayer,
  unitsTarget,
} from "../mod.ts";
import type { Best } from "./best.ts";
import type { PictureSet } from "./picture_set.ts";

/** A picture that excites a unit. */
export interface Example {
  /** Its place in the set. */
  picture: number;
  file: string;
  activation: number;
  /** Of a unit with a map: the position of the maximum, and what the unit sees there, in pixels of the model's input. */
  at?: [x: number, y: number];
  field?: Box;
  region?: Region;
}

/** A unit with its examples, the best first. */
export interface Row {
  unit: number;
  name: string;
  examples: Example[];
  /** What the unit wants to see, as the search has drawn it. */
  drawn?: { image: Image; activation: number };
}

/** The rows of these units, of so many examples each. */
export function rowsOf(
  model: Model,
  layer: UnitLayer,
  units: readonly number[],
  { best, top }: { best: Best; top: number },
  set: PictureSet,
): Row[] {
  const isMap = layer.width * layer.height > 1;
  const fields = new Map<number, Box>();
  const where = (place: number): Pick<Example, "at" | "field"> => {
    if (!isMap) return {};
    const at: [number, number] = [place % layer.width, Math.floor(place / layer.width)];
    const field = fields.get(place) ?? fieldBox(model, targetOf(layer, 0, at));
    fields.set(place, field);
    return { at, field };
  };
  return units.map((unit) => ({
    unit,
    name: layer.labelled ? labelOf(model, unit) : `unit ${unit}`,
    examples: best.row(unit).slice(0, top).map(({ picture, score, place }) => ({
      picture,
      file: set.name(picture),
      activation: score,
      ...where(place),
    })),
  }));
}

/** A unit as a target, at the centre of its map or at a position. */
export const targetOf = ({ name }: UnitLayer, unit: number, at?: [number, number]): string =>
  showTarget(unitsTarget({ layer: name, units: [unit], at }));

/** A sheet with a row for each unit: what was drawn for it, if anything, and its examples, cut to what the unit sees of them. */
export function sheetOf(rows: readonly Row[], images: ReadonlyMap<number, Image>): Image {
  const tiles = rows.flatMap(({ unit, name, examples, drawn }) => {
    const title = name === `unit ${unit}` ? name : `${unit} ${name}`;
    const shown = examples.map(({ picture, activation, field, region }) => {
      const image = images.get(picture)!;
      const cut = region ? markRegion(image, region) : field ? part(image, field) : image;
      return { image: cut, caption: `${title} ${activation.toPrecision(3)}` };
    });
    return drawn
      ? [{ image: drawn.image, caption: `${title} drawn: ${drawn.activation.toPrecision(3)}` }, ...shown]
      : shown;
  });
  // At the picture's edge a unit sees less.
  const side = (of: "width" | "height") => tiles.reduce((most, { image }) => Math.max(most, image[of]), 0);
  const size = { width: side("width"), height: side("height") };
  return contactSheet(
    tiles.map(({ image, caption }) => ({ image: centred(image, size), caption })),
    tiles.length / rows.length,
  );
}
