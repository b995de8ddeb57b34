import { buildGraph } from "../net/graph.ts";
import type { Model } from "../mod.ts";
export function layerUnits(model: Model, layer?: string) {
  const graph = buildGraph(model), { shape } = layer === undefined ? graph.output : graph.find(layer);
  const [channels, height = 1, width = 1] = shape;
  return { channels, height, width };
}
