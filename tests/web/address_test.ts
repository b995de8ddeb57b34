/** What an address of the page may say. */
import assert from "node:assert/strict";
import type { ModelInfo, Opened, Wanted } from "../../web/engine/messages.ts";
import { placeOf, searchHash, viewHash } from "../../web/page/address.ts";

const layer = (target: string, units: number) => ({
  name: target,
  type: "fc",
  blob: target,
  shape: [units],
  units,
  target,
});
const classifier = { layer: "fc8", layers: [layer("conv5+relu", 16), layer("fc8", 1000)] } as unknown as ModelInfo;
const pair = { classifier, methods: { fft: {}, simonyan2013: {} } as unknown as Opened["methods"] };
const model = "0123456789abcdef";

Deno.test("what an address says is read as it was written", () => {
  const wanted = { layer: "conv5+relu", units: [3, 15], together: true, method: "fft", seeds: [7] } as Wanted;
  const { faults, ...place } = placeOf(searchHash(wanted, model), pair);
  assert.deepEqual(faults, []);
  assert.deepEqual(place, { ...wanted, model: "0123456789ab", view: "search", target: undefined });
  assert.equal(
    placeOf(searchHash({ ...wanted, target: "mean(fc8:1) - 2*fc8:3" }, model), pair).target,
    "mean(fc8:1) - 2*fc8:3",
  );
  const { view, layer } = placeOf(viewHash("network", model, "conv5+relu"), pair);
  assert.deepEqual([view, layer], ["network", "conv5+relu"]);
});

const faults: Record<string, string> = {
  "unit=abc": "unit=abc, expected numbers from 0 to 999, such as 7 or 3,7",
  "unit=": "unit=, expected numbers from 0 to 999, such as 7 or 3,7",
  "unit=3,1000": "unit=3,1000, expected numbers from 0 to 999, such as 7 or 3,7",
  "layer=conv5%2Brelu&unit=16": "unit=16, expected numbers from 0 to 15, such as 7 or 3,7",
  "layer=conv9&unit=1": "layer=conv9, expected one of conv5+relu, fc8",
  "method=toString": "method=toString, expected one of fft, simonyan2013",
  "view=all": "view=all, expected one of search, network, photograph, gpu",
  "seed=-1": "seed=-1, expected numbers from 0 to 4294967295, such as 7 or 3,7",
  "units=3": "units, which says nothing here",
};

for (const [hash, fault] of Object.entries(faults)) {
  Deno.test(`${hash} in an address is told and left out`, () => {
    const { faults, view, layer, units, method, seeds } = placeOf(`#${hash}`, pair);
    assert.deepEqual(faults, [fault]);
    assert.equal(view, "search");
    assert.deepEqual([units, method, seeds], [undefined, undefined, undefined]);
    assert.equal(layer, hash.startsWith("layer=conv5") ? "conv5+relu" : undefined);
  });
}
