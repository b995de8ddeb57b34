/** deno task convert torch: a PyTorch state dict of one of torchvision's networks → a model folder. */
import { type Command, type Option, print, required, type Values } from "../../../src/cli/command.ts";
import { readBytes } from "../../../src/cli/files.ts";
import { oneOf } from "../../../src/cli/values.ts";
import { refuseOthers } from "../../../src/formats/kinds.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { listOfNames, MOST_TEXT } from "../../../src/net/model.ts";
import { openPlace, writeModel } from "../folder.ts";
import { pixelLine, pixelOptions, rangeOption, readPixels } from "../pixels.ts";
import { type ArchitectureName, architectures } from "./architectures.ts";
import { convertTorch } from "./network.ts";

const names = Object.keys(architectures) as ArchitectureName[];

const options = {
  weights: { value: "FILE", help: "the state dict, in a .safetensors file" },
  network: { value: "NAME", help: `torchvision's ${names.join(", ")}` },
  out: { value: "DIR", help: "the model folder to make" },
  labels: { value: "FILE", help: "a text with the name of class n on line n + 1" },
  mean: { value: "MEAN", help: "what pixels lose: one number, or one a channel (as the published weights want it)" },
  ...pixelOptions,
  range: rangeOption("0-1"),
  order: { value: "ORDER", help: "of the channels: RGB (the published weights') or BGR" },
  force: { help: "replaces an existing model folder; its labels.txt stays unless there is a new one" },
} satisfies Record<string, Option>;

/** The command. */
export const torch: Command<typeof options> = {
  name: "convert torch",
  summary:
    "Turns the state dict of torchvision's AlexNet, GoogLeNet or ResNet-50 into a model folder: F32, F16 and BF16\n" +
    "weights as they are, any number of classes. Pictures are resized to 256, cut to 224 × 224 and normalised as for\n" +
    "torchvision's published weights; GoogLeNet's come with transform_input, so there mean and std are 0.5, and the\n" +
    "model's input is what transform_input makes.",
  options,
  examples: [
    [
      "deno task convert torch --weights resnet50.safetensors --network resnet50 --out models/resnet50",
      "the published weights, saved in Python by save_file(model.state_dict(), 'resnet50.safetensors')",
    ],
    [
      "deno task convert torch --weights mine.safetensors --network googlenet --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --out models/mine",
      "a GoogLeNet that was trained without transform_input",
    ],
  ],
  run,
};

async function run(values: Values<typeof options>): Promise<void> {
  const start = performance.now();
  const out = required("--out", values.out);
  const { force } = values;
  const weights = required("--weights", values.weights);
  const network = required("--network", values.network);
  const name = oneOf("--network", network, names)!;
  const pixels = readPixels(values, { usual: "0-1", published: true });
  using place = openPlace(out, force);
  const labels = values.labels === undefined ? undefined : await readBytes(values.labels);

  const model = convertTorch(await readBytes(weights), weights, name, pixels);
  if (labels) checkLabels(labels, values.labels!, model.units);
  writeModel(place, model, { start, names: labels });
  print(pixelLine(model.image, "of the input"));
}

/** @throws UserError unless a text has a line for each unit. */
function checkLabels(bytes: Uint8Array, file: string, units: number): void {
  if (bytes.length > MOST_TEXT) throw new UserError(`${file} has ${bytes.length} bytes, expected at most ${MOST_TEXT}`);
  refuseOthers(bytes, file, listOfNames);
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n").length;
  if (lines !== units) throw new UserError(`${file} has ${lines} lines, the network has ${units} classes`);
}
