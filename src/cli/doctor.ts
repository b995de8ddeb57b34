/** `deno task doctor`: what this machine's adapter is, grants and does with the embedded models. */
import { type Device, Net } from "../mod.ts";
import { type Command, main, print } from "./command.ts";
import { adapterOption, openAdapter, openClassifier, openGenerator, version } from "./defaults.ts";

const options = {
  adapter: adapterOption,
  json: { help: "prints one JSON document" },
};

const command: Command<typeof options> = {
  name: "doctor",
  summary: "Looks at the WebGPU adapter: its name, limits and features, and runs the embedded models on it.",
  options,
  examples: [
    ["deno task doctor", "the adapter that synth uses"],
    ["deno task doctor --adapter low-power --json", "another one, for a program"],
  ],
  async run(values) {
    using device = await openAdapter(values.adapter);
    const report = { version, deno: Deno.version.deno, ...adapterFacts(device), models: await modelFacts(device) };
    if (values.json) print(JSON.stringify(report));
    else textOf(report).forEach(print);
  },
};

/** The adapter as it presents itself. Limits are those that the device was opened with. */
function adapterFacts({ name, caps, gpu }: Device) {
  const limits: Record<string, number> = {};
  for (const limit in gpu.limits) limits[limit] = gpu.limits[limit as keyof GPUSupportedLimits] as number;
  return { adapter: name, caps, features: [...gpu.features].sort(), limits };
}

/** Each embedded model, run once on zeros with its gradient: what it takes of the GPU, and how long. */
async function modelFacts(device: Device) {
  const facts = [];
  for (const model of [await openClassifier(), await openGenerator()]) {
    using net = await Net.create(device, model, { gradient: true });
    const x = new Float32Array(net.inputShape.reduce((product, size) => product * size, 1));
    await net.gradient(x, 0); // the first run also warms up
    const start = performance.now();
    await net.gradient(x, 0);
    const milliseconds = performance.now() - start;
    facts.push({
      model: model.name,
      milliseconds,
      dispatches: net.dispatches,
      memory: net.memory,
      inUse: device.memory,
    });
  }
  return facts;
}

type Report = ReturnType<typeof adapterFacts> & {
  version: string;
  deno: string;
  models: Awaited<ReturnType<typeof modelFacts>>;
};

function textOf({ version, deno, adapter, caps, features, limits, models }: Report): string[] {
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const rows = [
    ["Phosphene", `${version}, Deno ${deno}`],
    ["adapter", `${adapter}${caps.software ? " (software: the CPU runs the kernels)" : ""}`],
    ["features", features.join(", ") || "none"],
    ...models.map(({ model, milliseconds, dispatches, memory, inUse }) => [
      model,
      `forward and gradient ${milliseconds.toFixed(1)} ms, ${dispatches} dispatches; ${mebibytes(inUse)} in use, ` +
      `planned: weights ${mebibytes(memory.weights)}, activations ${mebibytes(memory.activations)}`,
    ]),
    ...Object.entries(limits).map(([limit, value]) => [limit, String(value)]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
}

if (import.meta.main) await main(command);
