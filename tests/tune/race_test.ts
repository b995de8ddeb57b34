/** Who wins, with clocks that are wound up by hand. */
import assert from "node:assert/strict";
import { beats, type Field, median, race, type Runner } from "../../src/tune/race.ts";
import { randomIntegers } from "../formats/fuzz.ts";

/** Takes `ms`, and up to `noise` of it more; counts how often. */
class Fake implements Runner {
  count = 0;
  constructor(readonly name: string, readonly ms: number, readonly noise: () => number = () => 0) {}
  time(): Promise<number> {
    this.count++;
    return Promise.resolve(this.ms * (1 + this.noise()));
  }
}

const names = ({ forward, backward }: { forward: Fake; backward?: Fake }) => [forward.name, backward?.name];
const field = (forward: Fake[], backward: Fake[] = []): Field<Fake> => ({ forward, backward });

Deno.test("race: the clearly fastest wins, and each pass by itself where both read the same weights", async () => {
  const old = [new Fake("f old", 10), new Fake("b old", 20)];
  const fast = new Fake("f new", 8);
  const even = new Fake("b new", 19.8);
  const result = await race([field([old[0], fast], [old[1], even])], { forward: old[0], backward: old[1] });
  assert.deepEqual(names(result), ["f new", "b old"]); // 1 % is noise
  assert.deepEqual([result.ms, result.predictedMs], [28, 30]);
});

Deno.test("race: ways of another form win as a pair, by their sum", async () => {
  const predicted = { forward: new Fake("f", 10), backward: new Fake("b", 10) };
  const plain = field([predicted.forward], [predicted.backward]);
  const worse = field([new Fake("f other", 5)], [new Fake("b other", 16)]);
  assert.deepEqual(names(await race([plain, worse], predicted)), ["f", "b"]);
  const better = field([new Fake("f other", 5)], [new Fake("b other", 13)]);
  assert.deepEqual(names(await race([plain, better], predicted)), ["f other", "b other"]);
  // A fast gradient of one form does not go with a fast output of another.
  const mixed = field([new Fake("f slow", 13)], [new Fake("b fast", 6.9)]);
  assert.deepEqual(names(await race([plain, mixed], predicted)), ["f", "b"]);
});

Deno.test("race: the luckiest of many that are the same does not win", async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = randomIntegers(seed);
    const noise = () => random(1000) / 1000 * 0.3;
    const runners = Array.from({ length: 12 }, (_, n) => new Fake(`${n}`, 10, noise));
    const { forward } = await race([field(runners)], { forward: runners[0] });
    assert.equal(forward.name, "0", `seed ${seed}`);
  }
});

Deno.test("race: who is faster by a tenth wins through noise of a tenth", async () => {
  let won = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const random = randomIntegers(seed);
    const noise = () => random(1000) / 1000 * 0.1;
    const runners = [10, 9, 11, 12].map((ms) => new Fake(`${ms}`, ms, noise));
    if ((await race([field(runners)], { forward: runners[0] })).forward.name === "9") won++;
  }
  assert.ok(won >= 45, `${won} of 50`);
});

Deno.test("race: the hopeless run once, and an aborted race ends with its reason", async () => {
  const predicted = new Fake("predicted", 10);
  const hopeless = new Fake("hopeless", 15);
  const stop = new AbortController();
  await race([field([predicted, hopeless])], { forward: predicted });
  assert.equal(hopeless.count, 1);
  const pressing = new Fake("pressing", 10, () => (stop.abort("stop"), 0));
  await assert.rejects(race([field([predicted, pressing])], { forward: predicted }, stop.signal), (e) => e === "stop");
  assert.equal(pressing.count, 1);
});

Deno.test("beats: by the middle, the best and nearly all rounds", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.ok(beats([9, 9, 9, 9], [10, 10, 10, 10]));
  assert.ok(!beats([9.7, 9.7, 9.7, 9.7], [10, 10, 10, 10]));
  assert.ok(!beats([9, 9, 9, 9], [10, 10, 10, 8]), "the best round is the other's");
  assert.ok(!beats([9, 9, 9, 11, 11], [10, 10, 10, 10, 10]), "two of five rounds");
});
