/**
 * Makes a video classifier to try films with: the architecture of LRCN's activity network (Donahue et al. 2015: frames,
 * convolutions, an LSTM of 256 units over time, 101 classes), for frames of 64 × 64 pixels, with random weights of a spread that
 * lets gradients arrive. It has seen nothing and knows nothing.
 *
 *     npx -y deno run --allow-read --allow-write examples/lrcn.ts models/lrcn64
 */
import { join } from "node:path";
import { randomWeights } from "../bench/networks/random_weights.ts";
import { print, tell } from "../src/cli/print.ts";
import { writeSafetensors } from "../src/formats/safetensors.ts";
import { parseNetwork } from "../src/net/network.ts";
import { type Add, draw } from "../tools/convert/torch/architectures.ts";

/** Its layers, named as published. */
function drawLrcn(add: Add): void {
  const active = (name: string, type: string, x: string, parameters: Record<string, unknown>) => {
    const blob = add(name, type, x, parameters);
    return add(`relu${name.slice(-1)}`, "relu", blob, {}, blob);
  };
  const pool = (name: string, x: string) => add(name, "maxpool", x, { kernel: 3, stride: 2, rounding: "ceil" });
  const norm = (name: string, x: string) => add(name, "lrn", x, { size: 5, alpha: 1e-4, beta: 0.75 });
  let x = norm("norm1", pool("pool1", active("conv1", "conv2d", "data", { channels: 96, kernel: 7, stride: 2 })));
  x = norm("norm2", pool("pool2", active("conv2", "conv2d", x, { channels: 384, kernel: 5, stride: 2, groups: 2 })));
  x = active("conv3", "conv2d", x, { channels: 512, kernel: 3, padding: 1 });
  x = active("conv4", "conv2d", x, { channels: 512, kernel: 3, padding: 1, groups: 2 });
  x = active("conv5", "conv2d", x, { channels: 384, kernel: 3, padding: 1, groups: 2 });
  x = active("fc6", "fc", pool("pool5", x), { channels: 4096 });
  x = add("reshape-data", "reshape", x, { shape: [1, 4096] });
  x = add("lstm1", "lstm", [x, add("reshape-cm", "reshape", "clip_markers", { shape: [1] })], { hidden: 256 });
  x = add("fc8-final", "fc", add("lstm1-flat", "flatten", x), { channels: 101 });
  add("probs", "softmax", x);
}

/** The network.json of LRCN for frames of so many pixels, from 64 on. */
export const lrcn = (side: number): string =>
  JSON.stringify({
    name: `LRCN at ${side} pixels with random weights`,
    inputs: [{ name: "data", shape: [3, side, side] }, { name: "clip_markers", shape: [1, 1, 1] }],
    image: { order: "BGR", mean: [104, 117, 123], scale: 1 / 64 },
    layers: draw(drawLrcn),
  });

if (import.meta.main) {
  const [folder = "models/lrcn64"] = Deno.args;
  const text = lrcn(64);
  const weights = writeSafetensors(new Map(randomWeights(parseNetwork(text, folder))));
  try {
    if (folder.startsWith("-")) throw new Error("it takes one word, the folder");
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(join(folder, "network.json"), text, { createNew: true });
    Deno.writeFileSync(join(folder, "weights.safetensors"), weights, { createNew: true });
    print(`${folder}: a network for films with random weights, ${weights.length} bytes`);
  } catch (error) {
    const reason = error instanceof Deno.errors.AlreadyExists ? "it is there already" : (error as Error).message;
    tell(`lrcn: ${folder} cannot be made: ${reason}`);
    Deno.exit(1);
  }
}
