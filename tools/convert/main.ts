/** deno task convert KIND: networks of other frameworks → model folders. */
import { main, print, tell } from "../../src/cli/command.ts";
import { caffe } from "./caffe/command.ts";
import { onnx } from "./onnx/command.ts";
import { torch } from "./torch/command.ts";

/** The commands, one a framework. */
export const commands = { caffe, onnx, torch };

if (import.meta.main) {
  const [kind, ...args] = Deno.args;
  if (kind === "caffe") await main(caffe, args);
  else if (kind === "onnx") await main(onnx, args);
  else if (kind === "torch") await main(torch, args);
  else if (kind === "--help") {
    const texts = Object.values(commands).map(({ name, summary }) => `deno task ${name} --help\n\n${summary}`);
    texts.join("\n\n").split("\n").forEach(print);
  } else {
    const came = kind === undefined ? "got nothing" : `got "${kind}"`;
    tell(`convert: expected what to convert, "caffe", "onnx" or "torch", ${came}`);
    Deno.exit(1);
  }
}
