/** What the page knows of a model. */
import { layersOf, type Model, searchedUnits } from "../../src/mod.ts";
import type { ModelInfo } from "./messages.ts";

/** It. */
export function infoOf(model: Model): ModelInfo {
  const { name, hash, labels, weights, network: { trained } } = model;
  const bytes = [...weights.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  return { name, hash, bytes, labels, trained, layer: searchedUnits(model).name, layers: layersOf(model) };
}
