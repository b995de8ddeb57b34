/** The file of tuned ways: what is written is read again, and damage is never more than a way that is missing. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { chooseCheapest, chooseWays, type Question } from "../../src/net/choose.ts";
import { subjectsOf } from "../../src/net/outline.ts";
import { adapterKey, kernelsHash, questionKey } from "../../src/tune/subject.ts";
import { hasChoice, pickOf, tuned } from "../../src/tune/tuned.ts";
import { addEntry, entriesOf, mergeWays, readWays, type TunedWays, writeWays } from "../../src/tune/ways_file.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { damageJson, damageText } from "../formats/damage.ts";
import { type Damage, damageBytes, fuzz } from "../formats/fuzz.ts";
import { caseModel } from "../net/case_model.ts";

const entry = (way: string, kernels: string) => ({ forward: { way, sizes: { blocks: 2 } }, kernels });

Deno.test("tuned ways: what is written is read again", () => {
  const ways: TunedWays = new Map();
  addEntry(ways, "gpu", "conv", { ...entry("direct", "1"), backward: { way: "transposed", sizes: {} } });
  addEntry(ways, "gpu", "__proto__", entry("a", "1"));
  addEntry(ways, "__proto__", "conv", entry("b", "1"));
  assert.deepEqual(readWays(writeWays(ways)), ways);
  assert.deepEqual(readWays(writeWays(new Map())), new Map());
});

Deno.test("tuned ways: the newest first, one for each version of the kernels, and few of them", () => {
  const ways: TunedWays = new Map();
  addEntry(ways, "gpu", "conv", entry("old", "1"));
  addEntry(ways, "gpu", "conv", entry("other", "2"));
  addEntry(ways, "gpu", "conv", entry("new", "1"));
  assert.deepEqual(entriesOf(ways, "gpu", "conv").map(({ forward }) => forward.way), ["new", "other"]);
  for (let n = 0; n < 20; n++) addEntry(ways, "gpu", "conv", entry("more", `${n}`));
  assert.equal(entriesOf(ways, "gpu", "conv").length, 8);
  const others: TunedWays = new Map();
  addEntry(others, "gpu", "conv", entry("theirs", "19"));
  addEntry(others, "cpu", "conv", entry("theirs", "1"));
  mergeWays(ways, others);
  assert.equal(entriesOf(ways, "gpu", "conv")[0].forward.way, "theirs");
  assert.equal(entriesOf(ways, "cpu", "conv").length, 1);
  assert.deepEqual(entriesOf(ways, "npu", "conv"), []);
});

Deno.test("tuned ways: what is no such file holds none, and what is wrong in one is left out", () => {
  // deno-fmt-ignore
  for (const text of ["", "x", "null", "[]", "{}", '{"phosphene":"tuned ways 2","adapters":{"a":{}}}', "[".repeat(1e6),
    '{"phosphene":"tuned ways 1"}', '{"phosphene":"tuned ways 1","adapters":[[[]]]}', " ".repeat(2 ** 24 + 1)]) {
    assert.deepEqual(readWays(text), new Map(), text.slice(0, 60));
  }
  const good = { forward: { way: "direct", sizes: {} }, kernels: "1" };
  const bad = [
    null,
    1,
    {},
    { ...good, kernels: 1 },
    { ...good, forward: "direct" },
    { ...good, forward: { way: "direct", sizes: { blocks: "2" } } },
    { ...good, forward: { way: "direct", sizes: [1] } },
    { ...good, backward: null },
    good,
  ].slice(-8);
  const text = JSON.stringify({ phosphene: "tuned ways 1", adapters: { gpu: { conv: bad, fc: 3 }, cpu: 7 } });
  assert.deepEqual([...readWays(text)], [["gpu", new Map([["conv", [good]]])]]);
});

Deno.test("tuned ways: whatever a damaged file says, only ways that are offered are chosen", async () => {
  using device = await openDevice();
  const graph = buildGraph(caseModel(smallNetworks[0]));
  const subjects = subjectsOf(device, {
    graph,
    batch: 1,
    wanted: [graph.output],
    gradient: { of: [graph.output], to: graph.inputs[0] },
  }).filter(hasChoice);
  assert.ok(subjects.length > 0);
  const ways: TunedWays = new Map();
  const last = ({ candidates }: Question) => candidates.at(-1)!;
  for (const about of subjects) {
    const { forward, backward } = chooseWays(about, last);
    addEntry(ways, adapterKey(device), questionKey(about), {
      forward: pickOf(forward),
      backward: pickOf(backward!),
      kernels: kernelsHash(about, { forward, backward }),
    });
  }
  const text = writeWays(ways);
  const choices = (text: string) => {
    const choose = tuned(device, readWays(text));
    return subjects.map((about) =>
      chooseWays(about, (question) => {
        const chosen = choose(question);
        assert.ok(question.candidates.includes(chosen));
        return chosen;
      })
    );
  };
  const described = (list: ReturnType<typeof choices>) =>
    list.map(({ forward, backward }) => [pickOf(forward), pickOf(backward!)]);
  assert.deepEqual(described(choices(text)), described(subjects.map((about) => chooseWays(about, last))));
  const predicted = described(subjects.map((about) => chooseWays(about, chooseCheapest)));
  assert.deepEqual(
    described(choices(text.replaceAll(/"kernels": ".{16}"/g, '"kernels": "0000000000000000"'))),
    predicted,
  );
  assert.deepEqual(described(choices(text.replaceAll("false", "true"))), predicted);
  const damages: Damage[] = [damageBytes, damageText, damageJson];
  for (const damage of damages) {
    fuzz(new TextEncoder().encode(text), 100, (damaged) => choices(new TextDecoder().decode(damaged)), { damage });
  }
});
