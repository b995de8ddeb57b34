/** What the page knows of the networks at hand. */
import { valueCount } from "../../src/formats/shape.ts";
import {
  codeBounds,
  type Device,
  layersOf,
  methodNames,
  methods,
  type Model,
  searchedUnits,
  suitable,
} from "../../src/mod.ts";
import { settingsOf } from "../../src/record/request.ts";
import type { ModelInfo, Opened } from "./messages.ts";
import type { Pair } from "./pair.ts";
import version from "./version.ts";

/** All of it. */
export function openedOf(device: Device, { classifier, generator }: Pair): Opened {
  const { name: adapter, caps: { software } } = device;
  const layers = layersOf(classifier);
  const { code } = generator.network;
  const size = codeSize(generator);
  const encoder = code && layers.findLast(({ name, blob }) => [name, blob].includes(code.layer));
  const byMethod = methodNames.map((name) => [
    name,
    { help: methods[name].help, settings: settingsOf({ said: {} }, name, classifier) },
  ]);
  return {
    version,
    adapter,
    software,
    classifier: infoOf(classifier),
    generator: infoOf(generator),
    settings: suitable({}, classifier),
    methods: Object.fromEntries(byMethod),
    inverts: encoder !== undefined && valueCount(encoder.shape) === size,
    sigmas: codeBounds(generator, size) && code?.sigmas,
  };
}

function infoOf(model: Model): ModelInfo {
  const { name, hash, labels, weights, network: { trained } } = model;
  const bytes = [...weights.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  return { name, hash, bytes, labels, trained, layer: searchedUnits(model).name, layers: layersOf(model) };
}

/** The bounds of the code so many deviations above its mean, where these are not the generator's own. */
export function boundsOf(
  { generator }: Pair,
  sigmas: number | undefined,
): { file: string; values: Float32Array } | undefined {
  if (sigmas === undefined || sigmas === generator.network.code?.sigmas) return undefined;
  const values = codeBounds(generator, codeSize(generator), sigmas);
  return values && { file: `mean + ${sigmas} deviations`, values };
}

/** Values of a generator's code. */
const codeSize = ({ network }: Model): number => valueCount(network.inputs[0].shape);
