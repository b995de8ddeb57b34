/** `deno task units`: the names and numbers of a classifier's units. */
import { isTrained, labelOf, layerUnits } from "../mod.ts";
import { type Command, main, print, printJson, tell } from "./command.ts";
import { openClassifier } from "./defaults.ts";

const options = {
  search: { value: "TEXT", help: "only units with this text in their names" },
  model: { value: "DIR", alias: "classifier", help: "the model's folder (the embedded classifier)" },
  json: { help: "prints one JSON document" },
};

/** The command. */
export const command: Command<typeof options> = {
  name: "units",
  summary: "Lists the units of a classifier's last layer: number, name, and whether it was trained.",
  options,
  examples: [
    ["deno task units --search pepper", "units with pepper in their names"],
    ["deno task units --json", "all of them, for a program"],
  ],
  async run(values) {
    const model = await openClassifier(values.model);
    const count = layerUnits(model).channels;
    const wanted = values.search?.toLowerCase() ?? "";
    const units = Array.from({ length: count }, (_, unit) => ({
      unit,
      name: labelOf(model, unit),
      trained: isTrained(model, unit),
    })).filter(({ name }) => name.toLowerCase().includes(wanted));
    if (values.json) {
      printJson({ model: model.name, hash: model.hash, units });
      return;
    }
    const digits = String(count - 1).length;
    for (const { unit, name, trained } of units) {
      print(`${String(unit).padStart(digits)}  ${name}${trained ? "" : "  (untrained)"}`);
    }
    if (units.length === 0) tell(`no unit of ${model.name} has "${values.search}" in its name`);
  },
};

if (import.meta.main) await main(command);
