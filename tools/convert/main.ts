/** deno task convert KIND: networks of other frameworks → model folders. */
import { main, print } from "../../src/cli/command.ts";
import { caffe } from "./caffe/command.ts";
import { torch } from "./torch/command.ts";

const [kind, ...args] = Deno.args;

if (kind === "caffe") await main(caffe, args);
else if (kind === "torch") await main(torch, args);
else if (kind === "--help") {
  for (const { name, summary } of [caffe, torch]) print(`deno task ${name} --help\n\n${summary}\n`);
} else {
  const given = kind === undefined ? "got nothing" : `got "${kind}"`;
  console.error(`convert: expected what to convert, "caffe" or "torch", ${given}`);
  Deno.exit(1);
}
