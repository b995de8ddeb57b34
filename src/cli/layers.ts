/** `deno task layers`: the layers of a model, their units, and what these see. */
import { type LayerInfo, layersOf, type Model } from "../mod.ts";
import { columns } from "./columns.ts";
import { type Command, main, print, printJson } from "./command.ts";
import { openClassifier, openModel } from "./defaults.ts";

const options = {
  model: { value: "DIR", alias: "classifier", help: "the model's folder (the embedded classifier)" },
  json: { help: "prints one JSON document" },
};

/** The command. */
export const command: Command<typeof options> = {
  name: "layers",
  summary:
    "Lists the inputs and layers of a network: type, shape, units, what a unit sees of the input (height × width, the step\n" +
    "to its neighbour's field, and where the first one's begins: less than 0 in the padding), and what synth calls a unit there.",
  options,
  examples: [
    ["deno task layers", "the embedded classifier's"],
    ["deno task layers --model models/caffenet --json", "another network's, for a program"],
  ],
  async run(values) {
    const model = values.model === undefined ? await openClassifier() : await openModel(values.model);
    const layers = layersOf(model);
    if (values.json) printJson({ model: model.name, hash: model.hash, layers: layers.map(withCall) });
    else lines(model, layers).forEach(print);
  },
};

/** What synth calls a unit of a layer. */
function callOf({ target, shape }: LayerInfo): string | undefined {
  if (target === undefined) return undefined;
  const name = /[\s():,@*]/.test(target) ? `"${target}"` : target;
  const isMap = shape.length === 3 && shape[1] * shape[2] > 1;
  return `${name}:UNIT${isMap ? "@X,Y" : ""}`;
}

const withCall = (layer: LayerInfo) => ({ ...layer, unit: callOf(layer) });

/** A table. */
function lines({ name }: Model, layers: readonly LayerInfo[]): string[] {
  const both = ([a, b]: [number, number], between: string) =>
    a === b ? String(rounded(a)) : `${rounded(a)}${between}${rounded(b)}`;
  const rows = [
    ["layer", "type", "shape", "units", "sees", "step", "from", "a unit there"],
    ...layers.map((layer) => [
      layer.name,
      layer.type,
      layer.shape.join("×"),
      String(layer.units),
      ...layer.field
        ? [both(layer.field.size, "×"), both(layer.field.stride, ","), both(layer.field.offset, ",")]
        : ["-", "-", "-"],
      callOf(layer) ?? "-",
    ]),
  ];
  return [name, ...columns(rows)];
}

const rounded = (n: number) => Math.round(1000 * n) / 1000;

if (import.meta.main) await main(command);
