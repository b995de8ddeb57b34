/** What the page knows of the networks at hand. */
import { valueCount } from "../../src/formats/shape.ts";
import {
  type Device,
  layersOf,
  type MethodName,
  methodNames,
  methods,
  type Model,
  searchedUnits,
  settingNames,
  type Settings,
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
  const { code, inputs: [{ shape }] } = generator.network;
  const encoder = code && layers.findLast(({ name, blob }) => [name, blob].includes(code.layer));
  const sigmas = generator.weights.has("code.std") ? code?.sigmas : undefined;
  const told = (settings: Settings): Settings =>
    settings.prior === "learned" && sigmas !== undefined ? { ...settings, sigmas } : settings;
  const byMethod = methodNames.map((name) => [
    name,
    { help: methods[name].help, settings: told(settingsOf({ said: {} }, name, classifier)) },
  ]);
  return {
    version,
    adapter,
    software,
    classifier: infoOf(classifier),
    generator: infoOf(generator),
    settings: told(suitable({}, classifier)),
    methods: Object.fromEntries(byMethod),
    inverts: encoder !== undefined && valueCount(encoder.shape) === valueCount(shape),
  };
}

function infoOf(model: Model): ModelInfo {
  const { name, hash, labels, weights, network: { trained } } = model;
  const bytes = [...weights.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  return { name, hash, bytes, labels, trained, layer: searchedUnits(model).name, layers: layersOf(model) };
}

/** The numbers of a search as settings: as many deviations as the generator has are what stands where nobody says. */
export const saidOf = ({ generator }: Pair, wishes: Partial<Settings>): Partial<Settings> =>
  wishes.sigmas === generator.network.code?.sigmas ? { ...wishes, sigmas: 0 } : wishes;

/** Those of the settings that are not what they are where nobody says. */
export function moved(
  said: Partial<Settings>,
  method: MethodName | undefined,
  { classifier }: Pair,
): Partial<Settings> {
  const usual = settingsOf({ said: {} }, method, classifier);
  return Object.fromEntries(
    settingNames.filter((name) => said[name] !== usual[name]).map((name) => [name, said[name]]),
  );
}
