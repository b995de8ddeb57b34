/** `deno task bench kernels`: every layer by itself. */
import { type Command, print } from "../../src/cli/command.ts";
import { adapterOption, openAdapter } from "../../src/cli/defaults.ts";
import { arithmeticKinds, arithmeticOption } from "../../src/cli/memory.ts";
import { oneOf, wholeNumber } from "../../src/cli/values.ts";
import { besidePeak, checkJson, jsonOptions, MOST_BATCH, peakLine, writeJson } from "../report.ts";
import { benchKernels, kernelLines } from "./measure.ts";

const options = {
  adapter: adapterOption,
  batch: { value: "N", help: "items at once (1)" },
  model: { value: "DIR", help: "the layers of this network in place of the default pair's" },
  op: { value: "NAME", help: "only the layers of this type, such as conv2d, fc or lrn" },
  arithmetic: arithmeticOption,
  sizes: { help: "every size of every way, not only the ones predicted to be the best" },
  ...jsonOptions,
};

/** The command. */
export const kernelsCommand: Command<typeof options> = {
  name: "bench kernels",
  summary: "Measures every layer by itself, its output and its gradient, in every way to compute them.",
  options,
  examples: [
    ["deno task bench kernels --model models/caffenet64 --batch 8", "every layer of one network, eight items at once"],
    ["deno task bench kernels --op fc", "every way of every fully connected layer of the default pair"],
  ],
  async run(values) {
    const batch = wholeNumber("--batch", values.batch, { least: 1, most: MOST_BATCH, fallback: 1 });
    const arithmetic = oneOf("--arithmetic", values.arithmetic, arithmeticKinds);
    checkJson(values);
    using device = await openAdapter(values.adapter);
    const { op, sizes, model } = values;
    const { figures: { kernels }, peak, header } = await besidePeak(
      device,
      () => benchKernels(device, model, { batch, op, sizes, arithmetic }),
    );
    print(peakLine(device, peak));
    kernelLines(kernels, peak).forEach(print);
    writeJson(values, { ...header, arithmetic, kernels });
  },
};
