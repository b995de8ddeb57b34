/** The best of many against sorting them all, ties and all; and the index that keeps them. */
import assert from "node:assert/strict";
import { Best } from "../../src/cli/best.ts";
import { type Indexed, readIndex, writeIndex } from "../../src/cli/example_index.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { damageSafetensors } from "../formats/damage.ts";
import { fuzz } from "../formats/fuzz.ts";
import { uniform } from "../reference/random.ts";

const rows = 3;
const keep = 4;
const count = 40;
const next = uniform(11);
/** Few values, so that many are equal. */
const scores = Array.from({ length: rows }, () => Array.from({ length: count }, () => Math.floor(6 * next())));

/** What sorting gives. */
const sorted = (row: number) =>
  scores[row].map((score, picture) => ({ picture, score, place: picture + row }))
    .sort((a, b) => b.score - a.score || a.picture - b.picture).slice(0, keep);

function offered(order: readonly number[]): Best {
  const best = new Best(rows, keep);
  for (const picture of order) {
    for (let row = 0; row < rows; row++) best.offer(row, scores[row][picture], picture, picture + row);
  }
  return best;
}

const inOrder = Array.from({ length: count }, (_, n) => n);

Deno.test("the best are those that sorting finds, in whatever order they come", () => {
  for (const order of [inOrder, inOrder.toReversed(), inOrder.toSorted((a, b) => (a * 7) % count - (b * 7) % count)]) {
    const best = offered(order);
    for (let row = 0; row < rows; row++) assert.deepEqual(best.row(row), sorted(row));
  }
  assert.deepEqual(new Best(rows, keep).row(1), []);
});

Deno.test("of a map the first of its largest values counts", () => {
  const best = new Best(2, 1);
  best.offerMaxima(Float32Array.of(1, 5, 5, 2, -4, -3, -3, -9), 7);
  assert.deepEqual([best.row(0), best.row(1)], [[{ picture: 7, score: 5, place: 1 }], [{
    picture: 7,
    score: -3,
    place: 1,
  }]]);
});

const indexed: Indexed = { model: { name: "net", hash: "ab12" }, layer: { name: "conv5", channels: rows }, keep };
const identities = inOrder.map((n) => `/photos/${n}.png\n${n}\n1`);

Deno.test("an index gives back what was written; any other is refused in a sentence", () => {
  const bytes = writeIndex(indexed, { identities, best: offered(inOrder) });
  const seen = readIndex(bytes, "i", indexed);
  assert.deepEqual(seen.identities, identities);
  for (let row = 0; row < rows; row++) assert.deepEqual(seen.best.row(row), sorted(row));
  const refused = (wanted: Indexed, message: RegExp, from = bytes) =>
    assert.throws(
      () => readIndex(from, "i", wanted),
      (error) => error instanceof UserError && message.test(error.message),
    );
  refused(
    { ...indexed, model: { name: "other", hash: "cd34" } },
    /i is of another model \(net, ab12…\) than other \(cd34…\)/,
  );
  refused({ ...indexed, layer: { name: "conv4", channels: rows } }, /i is of layer conv5, not conv4/);
  refused({ ...indexed, keep: 5 }, /keeps the best 4 pictures of each unit, not 5/);
  assert.deepEqual(readIndex(bytes, "i", { ...indexed, keep: 2 }).best.keep, keep);
  const damaged = (change: (tensors: ReturnType<typeof readSafetensors>) => void) => {
    const tensors = readSafetensors(bytes.slice(), "i");
    change(tensors);
    return writeSafetensors(tensors);
  };
  refused(indexed, /is no index of examples/, damaged((tensors) => void tensors.delete("about")));
  refused(indexed, /is no index of examples/, damaged((tensors) => void tensors.delete("places")));
  refused(indexed, /is no index of examples/, damaged((tensors) => tensors.get("pictures")!.bytes.fill(9)));
  refused(
    indexed,
    /is no index of examples/,
    damaged((tensors) => void tensors.set("seen", { dtype: "U8", shape: [1], bytes: new Uint8Array([65]) })),
  );
});

Deno.test("a damaged index gives a value or a sentence", () => {
  const bytes = writeIndex(indexed, { identities, best: offered(inOrder) });
  for (const damage of [undefined, damageSafetensors]) {
    fuzz(bytes, 200, (damaged) => readIndex(damaged, "i", indexed), { damage });
  }
});
