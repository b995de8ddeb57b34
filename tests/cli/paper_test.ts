/** The commands of docs/paper.md for published networks, and what no other test types, with stand-ins and two iterations. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../src/formats/png.ts";
import { writeNarrow } from "./narrow_networks.ts";
import { writePicture } from "./patches.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** A folder of networks and photographs. */
function given() {
  const folder = temporaryFolder();
  const at = (...names: string[]) => join(folder.path, ...names);
  const deepsim = writeNarrow(at("deepsim-fc6"), "deepsim-fc6");
  const pool5 = writeNarrow(at("deepsim-pool5"), "deepsim-pool5");
  const caffenet = writeNarrow(at("caffenet"), "caffenet");
  const places = writeNarrow(at("places205"), "caffenet", 205);
  const googlenet = writeNarrow(at("googlenet"), "googlenet");
  const resnet = writeNarrow(at("resnet50"), "resnet50");
  Deno.mkdirSync(at("photos"));
  const [photo] = [0, 1].map((n) => {
    const rgb = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => (n + 1) * i * 37);
    return writePicture(at("photos", `${n}.png`), { width: 64, height: 64, rgb });
  });
  return {
    at,
    deepsim,
    pool5,
    caffenet,
    places,
    googlenet,
    resnet,
    photo,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/** Types a command. @throws AssertionError where it fails. */
async function run(...args: string[]): Promise<void> {
  const { code, err } = await type(args);
  assert.equal(code, 0, `${args.join(" ")}\n${err}`);
}

async function sizeOf(file: string) {
  const { width, height } = await decodeImage(Deno.readFileSync(file), file);
  return [width, height];
}

const few = ["--iterations", "2", "--redirect", "0", "--quiet"];

// One after the other where they share kernels, which the driver compiles once.
Deno.test("the figures' commands", async (t) => {
  using here = given();
  const { at, deepsim, pool5, caffenet, places, googlenet, resnet, photo } = here;
  const side = 227;

  await t.step("an output unit, from a photograph, within one deviation, and every iteration on a sheet", async () => {
    await run("ranges", "--model", caffenet, "--images", at("photos"), "--generator", deepsim, "--force");
    const rest = ["--init", photo, "--lr-start", "1", "--sigmas", "1", "--animate", "sheet", ...few];
    const models = ["--classifier", caffenet, "--generator", deepsim];
    await run("synth", ...models, "--unit", "643", ...rest, "--out", at("output/"));
    assert.deepEqual(namesIn(at("output")), ["fc8_0643_0.png", "fc8_0643_0_iterations.png"]);
    // Two pictures beside one another, and a line below.
    const [width, height] = await sizeOf(at("output", "fc8_0643_0_iterations.png"));
    assert.ok(width === 8 + 2 * (side + 8) && height > side && height < 2 * side, `${width} × ${height}`);
  });

  await t.step("a code of maps, from a photograph, bounded by what photographs have", async () => {
    const bounds = at("pool5.safetensors");
    await run("ranges", "--model", caffenet, "--images", at("photos"), "--layer", "pool5", "--out", bounds);
    const rest = ["--init", photo, "--bounds", bounds, ...few];
    const models = ["--classifier", caffenet, "--generator", pool5];
    await run("synth", ...models, "--unit", "643", ...rest, "--out", at("pool5.png"));
    assert.deepEqual(await sizeOf(at("pool5.png")), [side, side]);
  });

  await t.step("other architectures, codes without bounds, and hidden units of other data", async () => {
    const rest = ["--generator", deepsim, "--units", "2", ...few];
    const fast = ["--lr-start", "2", "--clip", "none"];
    await Promise.all([
      run("synth", "--classifier", googlenet, ...rest, ...fast, "--out", at("googlenet-out/")),
      run("synth", "--classifier", resnet, ...rest, ...fast, "--out", at("resnet-out/")),
    ]);
    await run(
      ...["synth", "--classifier", places, ...rest, "--layer", "conv5", "--crop", "field"],
      ...["--out", at("places-out/")],
    );
    const names = ["googlenet-out", "resnet-out"].flatMap((folder) => namesIn(at(folder)));
    assert.deepEqual(names, ["loss3-classifier_0002_0.png", "fc_0002_0.png"]);
    // What the authors cut their pictures to.
    assert.deepEqual(await sizeOf(at("places-out", "conv5_0002_0.png")), [163, 163]);
  });

  await t.step("a real picture beside a hidden unit, with what excites it", async () => {
    const rest = ["--layer", "conv5", "--units", "2", "--top", "1", "--region", "--window", "100", "--beside"];
    await run(
      ...["examples", "--model", places, "--generator", deepsim, "--images", at("photos"), ...rest],
      ...["--iterations", "2", "--out", at("conv5.png")],
    );
    assert.equal((await sizeOf(at("conv5.png")))[0], 8 + 2 * (side + 8)); // what was drawn, and the picture
  });
});
