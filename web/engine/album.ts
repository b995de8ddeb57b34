/** The visitor's photographs, kept for the visit: what the classifier makes of each, and of all beside one another. */
import { decodeImage } from "../../src/formats/png.ts";
import { UserError } from "../../src/formats/user_error.ts";
import {
  despiteLosses,
  type Device,
  distances,
  fitted,
  lastName,
  layerUnits,
  type Picture,
  rank,
  searchedUnits,
} from "../../src/mod.ts";
import type { Row } from "../../src/record/request.ts";
import { codeOf } from "../../src/record/start.ts";
import type { Excited, LayerView, Near, Photograph } from "./messages.ts";
import type { Pair } from "./pair.ts";
import { regionIn } from "./region.ts";
import { type Going, type Pictures, through } from "./through.ts";

/** A photograph: its file is read again for another classifier. */
interface Kept {
  id: number;
  name: string;
  file: Blob;
}

/** Photographs of a visit, units that are told of a layer, photographs that are told of a unit. */
const MOST = 200;
const MOST_UNITS = 8;
const MOST_TOLD = 12;

/** Photographs of the visit so far, for their numbers. */
let numbered = 0;

/** Photographs, as one pair of networks sees them. */
export class Album {
  /** What the classifier is shown of each. */
  #shown = new Map<number, Picture>();

  constructor(
    private readonly device: Device,
    private readonly models: Pair,
    private readonly kept: Kept[] = [],
  ) {}

  /** The same photographs for other networks. */
  seenBy(models: Pair): Album {
    return new Album(this.device, models, this.kept);
  }

  /**
   * Keeps one more, and looks at it; it is told when it has been read, and again when it has been looked at.
   * @throws UserError where it is none, or the classifier takes no pictures.
   */
  async add(name: string, file: Blob, tell: (photograph: Photograph) => void): Promise<void> {
    if (this.kept.length === MOST) throw new UserError(`${MOST} photographs are kept at most; take some away`);
    const one = { id: ++numbered, name, file };
    const picture = await this.#read(one);
    tell({ id: one.id, name, picture });
    (await this.#lookAt([one])).forEach(tell);
    this.kept.push(one);
  }

  /** Takes one away. */
  remove(id: number): void {
    const place = this.kept.findIndex((one) => one.id === id);
    if (place >= 0) this.kept.splice(place, 1);
    this.#shown.delete(id);
  }

  /** What the classifier makes of each. */
  async all(): Promise<Photograph[]> {
    return await this.#lookAt(this.kept);
  }

  /** The strongest units of a layer on one, and where in their maps they are strongest. */
  async look(id: number, layer: string): Promise<LayerView> {
    const { classifier } = this.models;
    const { channels, width } = searchedUnits(classifier, layer);
    const found: LayerView["units"] = [];
    await this.#through(layer, [this.#one(id)], (values) => {
      for (let unit = 0; unit < channels; unit++) found.push({ unit, ...strongestOf(values, unit, channels, width) });
    });
    return { layer, units: found.sort((a, b) => b.activation - a.activation).slice(0, MOST_UNITS) };
  }

  /** What of one excites a unit, at the place of the unit's map where it is strongest. */
  async region(id: number, layer: string | undefined, unit: number, going: Going): Promise<Picture> {
    const { device, models: { classifier } } = this;
    const units = searchedUnits(classifier, layer);
    const one = this.#one(id);
    let excited = { activation: 0, at: [0, 0] as [number, number] };
    await this.#through(units.name, [one], (values) => {
      excited = strongestOf(values, unit, units.channels, units.width);
    });
    return await regionIn(device, classifier, units, { unit, ...excited }, await this.#read(one), going);
  }

  /** The others, the nearest to one first: in pixels, or as a layer has them. */
  async nearest(id: number, layer: string | undefined, going: Going): Promise<Near[]> {
    const own = this.#one(id);
    const all = [own, ...this.kept.filter((one) => one !== own)];
    const found: Near[] = [];
    let first: ArrayLike<number> | undefined;
    const visit = (values: ArrayLike<number>, n: number) => {
      if (!first) first = Array.from(values);
      else found.push({ photograph: all[n].id, distance: distances.euclidean(first, values) });
    };
    if (layer === undefined) { for (const [n, one] of all.entries()) visit((await this.#read(one)).rgb, n); }
    else await this.#through(layer, all, visit, going);
    return found.sort((a, b) => a.distance - b.distance).slice(0, MOST_TOLD);
  }

  /** The photographs that excite a unit most. */
  async best(layer: string | undefined, unit: number, going: Going): Promise<Excited[]> {
    const { name, channels, width } = searchedUnits(this.models.classifier, layer);
    const found: Excited[] = [];
    await this.#through(name, this.kept, (values, n) => {
      found.push({ photograph: this.kept[n].id, ...strongestOf(values, unit, channels, width) });
    }, going);
    return found.sort((a, b) => b.activation - a.activation).slice(0, MOST_TOLD);
  }

  /** The code of one, for a search to start from. @throws UserError where what draws has no such code. */
  async code(id: number, row: Row): Promise<{ name: string; code: Float32Array }> {
    const { device, models: { classifier } } = this;
    const one = this.#one(id);
    const image = await imageOf(one);
    const code = await despiteLosses(device, () => codeOf(device, classifier, row, image), () => {});
    return { name: one.name, code };
  }

  #one(id: number): Kept {
    const found = this.kept.find((one) => one.id === id);
    if (!found) throw new UserError("this photograph is not there any more");
    return found;
  }

  async #read(one: Kept): Promise<Picture> {
    const known = this.#shown.get(one.id);
    if (known) return known;
    const picture = fitted(this.models.classifier, await imageOf(one));
    this.#shown.set(one.id, picture);
    return picture;
  }

  async #lookAt(some: readonly Kept[]): Promise<Photograph[]> {
    const { classifier } = this.models;
    const found: Photograph[] = [];
    const pictures: Picture[] = [];
    // Not at once: a photograph as a camera takes it has a hundred times as many bytes as what is shown of it.
    for (const one of some) pictures.push(await this.#read(one));
    await this.#through(lastName(classifier, layerUnits(classifier).name), some, (values, n) => {
      found.push({ id: some[n].id, name: some[n].name, picture: pictures[n], top: rank(classifier, values, 5) });
    });
    return found;
  }

  async #through(layer: string, some: readonly Kept[], visit: Parameters<typeof through>[4], going?: Going) {
    const pictures: Pictures = { count: some.length, read: (n) => this.#read(some[n]) };
    if (some.length > 0) await through(this.device, this.models.classifier, layer, pictures, visit, going);
  }
}

const imageOf = async ({ name, file }: Kept) => await decodeImage(new Uint8Array(await file.arrayBuffer()), name);

/** How strong a unit is among a layer's values, and where in its map. */
function strongestOf(values: Float32Array, unit: number, channels: number, width: number): Omit<Excited, "photograph"> {
  const area = values.length / channels;
  const map = values.subarray(unit * area, (unit + 1) * area);
  const activation = map.reduce((a, b) => Math.max(a, b));
  const place = map.indexOf(activation);
  return { activation, at: [place % width, Math.floor(place / width)] };
}
