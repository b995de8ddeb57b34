/** The random network of the documentation of films. */
import assert from "node:assert/strict";
import { lrcn } from "../../examples/lrcn.ts";
import { buildGraph, markersOf, sequenceLayer } from "../../src/net/graph.ts";
import { parseNetwork } from "../../src/net/network.ts";
import { count } from "../../src/ops/op.ts";

Deno.test("examples: LRCN's architecture, at 64 pixels and at its own 227", () => {
  const graphs = [64, 227].map((side) => {
    const network = parseNetwork(lrcn(side), "lrcn");
    return buildGraph({ network, where: "lrcn", weights: new Map() });
  });
  for (const graph of graphs) {
    assert.deepEqual(graph.output.shape, [101]);
    assert.equal(sequenceLayer(graph, [graph.output])!.name, "lstm1");
    assert.deepEqual(markersOf(graph).map(({ name }) => name), ["clip_markers"]);
  }
  const weights = graphs.map(({ layers }) =>
    layers.flatMap(({ weightShapes }) => Object.values(weightShapes)).reduce((sum, shape) => sum + count(shape), 0)
  );
  assert.deepEqual(weights, [10_371_045, 65_421_285]);
});
