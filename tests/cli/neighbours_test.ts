/** `deno task neighbours` as a user types it, against distances in float64. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { runNetwork } from "../reference/network.ts";
import { tensor } from "../reference/tensor.ts";
import { uniform } from "../reference/random.ts";
import { readWeights } from "../reference/weights.ts";
import { writePicture } from "./patches.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

const count = 12;
const side = 8;
const next = uniform(9);
/** The last is the same as the fourth. */
const pictures = Array.from({ length: count }, () => Uint8Array.from({ length: 192 }, () => 256 * next()));
pictures[count - 1] = pictures[3];

function given() {
  const folder = temporaryFolder();
  const at = (...names: string[]) => join(folder.path, ...names);
  const { classifier } = writeTinyModels(folder.path);
  Deno.mkdirSync(at("photos"));
  const files = pictures.map((rgb, n) =>
    writePicture(at("photos", `${String(n).padStart(2, "0")}.png`), { width: side, height: side, rgb })
  );
  return { at, classifier, files, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** The values of a picture in each space, in float64. */
function spacesOf(folder: string, layers: readonly string[]): (rgb: Uint8Array) => Map<string, readonly number[]> {
  const network = JSON.parse(Deno.readTextFileSync(join(folder, "network.json")));
  const file = join(folder, "weights.safetensors");
  const weights = readWeights(Deno.readFileSync(file), file);
  return (rgb) => {
    const x = Float64Array.from({ length: 192 }, (_, i) => (rgb[(i % 64) * 3 + Math.floor(i / 64)] - 127.5) / 127.5);
    const values = runNetwork(network, weights, new Map([["data", tensor([1, 3, side, side], x)]]));
    return new Map<string, readonly number[]>([
      ["pixels", [...rgb]],
      ...layers.map((layer) => [layer, [...values.get(layer)!.data]] as const),
    ]);
  };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const distances = {
  euclidean: (a: readonly number[], b: readonly number[]) => Math.sqrt(sum(a.map((value, n) => (value - b[n]) ** 2))),
  cosine: (a: readonly number[], b: readonly number[]) => {
    const dot = (a: readonly number[], b: readonly number[]) => sum(a.map((value, n) => value * b[n]));
    return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  },
};

Deno.test("neighbours: the same ones in the same order as in float64, in every space", async () => {
  using run = given();
  const layers = ["conv1", "fc2", "fc3"];
  const of = spacesOf(run.classifier, layers);
  const [own, ...others] = pictures.map(of);
  const args = ["--images", run.at("photos"), "--model", run.classifier, "--top", "5", "--json"];
  const spaces = ["--layer", "conv1", "--layer", "fc2", "--layer", "fc3", "--layer", "fc2"];
  const line = ["neighbours", run.files[0], ...args, ...spaces, "--out", run.at("a.png")];
  const kinds = { euclidean: await type(line), cosine: await type([...line, "--distance", "cosine", "--force"]) };
  for (const kind of ["euclidean", "cosine"] as const) {
    const { code, out, err } = kinds[kind];
    assert.equal(code, 0, err);
    const { spaces } = JSON.parse(out) as {
      spaces: { space: string; neighbours: { file: string; distance: number }[] }[];
    };
    assert.deepEqual(spaces.map(({ space }) => space), ["pixels", ...layers]);
    for (const { space, neighbours } of spaces) {
      const expected = [own, ...others].map((values, n) => ({
        file: run.files[n],
        distance: distances[kind](own.get(space)!, values.get(space)!),
      })).sort((a, b) => a.distance - b.distance).slice(0, 5);
      assert.deepEqual(neighbours.map(({ file }) => file), expected.map(({ file }) => file), space);
      neighbours.forEach(({ distance }, n) => {
        assert.ok(
          Math.abs(distance - expected[n].distance) <= 1e-5 * expected[4].distance,
          `${space} ${n}: ${distance}`,
        );
      });
    }
  }
});

Deno.test("neighbours: equal ones in order; a broken one is left out and named", async () => {
  using run = given();
  Deno.writeTextFileSync(run.files[5], "no picture");
  const more = ["--adapter", "low-power", "--tuned", "none", "--verbose", "--out", run.at("b.png")];
  const line = [
    "neighbours",
    run.files[count - 1],
    "--images",
    run.at("photos"),
    "--model",
    run.classifier,
    "--top",
    "2",
  ];
  const { code, out, err } = await type([...line, ...more]);
  assert.equal(code, 1);
  assert.match(
    err,
    /^plan: [^]*warning: left out: .*05\.png: neither a PNG nor a JPEG picture\nwarning: left out: 1 of 12 pictures\n/,
  );
  assert.match(
    out,
    /^pixels\n +0\.0+ {2}.*03\.png\n +0\.0+ {2}.*11\.png\nfc3\n +0\.0+ {2}.*03\.png\n +0\.0+ {2}.*11\.png\n.*b\.png\n$/,
  );
});

Deno.test("neighbours: bad input is one sentence, and nothing is written", async (t) => {
  using run = given();
  Deno.mkdirSync(run.at("none"));
  const good = ["--images", run.at("photos"), "--model", run.classifier, "--out", run.at("o.png")];
  const cases: [string, string[], RegExp][] = [
    ["no picture", good, /expected one picture; --help has examples/],
    ["an empty folder", [run.files[0], "--images", run.at("none")], /none holds no pictures/],
    ["no such layer", [run.files[0], ...good, "--layer", "fc9"], /no layer "fc9"/],
  ];
  for (const [name, args, message] of cases) {
    await t.step(name, async () => {
      const before = namesIn(run.at(""));
      const { code, out, err } = await type(["neighbours", ...args]);
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, message);
      assert.deepEqual(namesIn(run.at("")), before);
    });
  }
});
