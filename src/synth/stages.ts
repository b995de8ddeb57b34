/**
 * What a search needs beside its settings: the generator of an image prior, in the picture's size, and the classifier where it can
 * grow to that. A classifier can where all that the target is about comes before layers whose weights know one size only; else the
 * picture is resized or cut to its input.
 */
import { UserError } from "../formats/user_error.ts";
import { buildGraph, hostWeights, neededLayers } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import { valueOf } from "../net/naming.ts";
import { chw, count } from "../ops/op.ts";
import { framesOf } from "./film/frames.ts";
import type { Prior, Size } from "./images/image.ts";
import { images } from "./images/table.ts";
import { join, type Joined } from "./joined.ts";
import { checkMaps, type MadeSearch, MOST_CODE, type SearchOptions, suitable, sumOf } from "./options.ts";
import type { Settings } from "./settings.ts";
import { type TargetSum, termsOf } from "./target.ts";

/** A search, and what it needs. */
export interface Stage {
  /** What was asked for, and with every setting decided. */
  asked: SearchOptions;
  options: MadeSearch;
  joined: Joined;
  /** The classifier in its own size. */
  classifier: Model;
}

/** Height and width of the picture that `size` asks for: its longer side, or the classifier's own where it is 0. */
export function sizeOf({ network }: Model, size: number): Size {
  const [, height, width] = chw(network.inputs[0].shape);
  const scale = size === 0 ? 1 : size / Math.max(height, width);
  return [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))];
}

/** The generator of an image prior; undefined of a learned one. @throws UserError where the classifier takes no pictures, or not so large ones. */
export function imageModel(prior: Prior, classifier: Model, [height, width]: Size): Model | undefined {
  if (prior === "learned") return undefined;
  const [channels] = chw(classifier.network.inputs[0].shape);
  if (channels * height * width > MOST_CODE) {
    throw new UserError(`a picture of ${width}×${height} has more than the ${MOST_CODE} values that a search can have`);
  }
  return images[prior].model(classifier, [height, width]);
}

/** Prepares a search, of an image prior in this size. @throws UserError where something is missing or does not fit together. */
export function prepare(asked: SearchOptions, size?: Size): Stage {
  const { classifier } = asked;
  const settings = suitable(asked, classifier);
  const { prior } = settings;
  checkSettings(settings);
  const picture = size ?? sizeOf(classifier, settings.size);
  const generator = imageModel(prior, classifier, picture) ?? asked.generator;
  if (!generator) throw new UserError("a learned prior needs a generator; the priors pixels and fourier need none");
  const { fit = "auto" } = asked;
  const sees = prior === "learned" || fit !== "auto" ? classifier : grown(classifier, picture, asked);
  const options = { ...asked, ...settings, generator, classifier: sees };
  const joined = join(generator, sees, options);
  checkMaps(settings, joined.code.shape, generator);
  const targets = asked.frames === undefined ? asked.targets : framesOf(options, joined, count(joined.code.shape));
  return { asked, options: { ...options, targets }, joined, classifier };
}

/** Whether a picture has the sizes that settings ask for: a generator's has its own. */
export const hasSizes = ({ prior, size, octaves }: Settings): boolean =>
  prior !== "learned" || size === 0 && octaves === 1;

/** @throws UserError where a setting is about a picture without a generator, and there is one. */
function checkSettings(settings: Settings): void {
  if (hasSizes(settings)) return;
  const what = settings.size === 0 ? "octaves are" : "size is";
  throw new UserError(`${what} of pictures without a generator: with the prior pixels or fourier`);
}

/** The classifier with an input of this size, where its targets can be computed so; else as it is. */
function grown(classifier: Model, [height, width]: Size, { targets, layer }: SearchOptions): Model {
  const { network } = classifier;
  const [input, ...others] = network.inputs;
  const [channels, h, w] = chw(input.shape);
  if (h === height && w === width) return classifier;
  const inputs = [{ ...input, shape: [channels, height, width] }, ...others];
  const larger: Model = { ...classifier, network: { ...network, inputs } };
  try {
    const graph = buildGraph(larger);
    const named = (sum: TargetSum) => termsOf(sum).map((term) => term.layer ?? network.search?.layer);
    const values = targets.flatMap((target) => named(sumOf(target, layer, 0))).map((name) =>
      name === undefined ? graph.output : valueOf(graph, name)
    );
    for (const needed of neededLayers(graph, values)) hostWeights(needed);
    return larger;
  } catch (error) {
    if (error instanceof UserError) return classifier;
    throw error;
  }
}
