/** deno task convert KIND: networks of other frameworks → model folders. */
import { main, print } from "../../src/cli/command.ts";
import { caffe } from "./caffe/command.ts";

const [kind, ...args] = Deno.args;

if (kind === "caffe") await main(caffe, args);
else if (kind === "--help") print(`deno task ${caffe.name} --help\n\n${caffe.summary}`);
else {
  console.error(`convert: expected what to convert, "caffe", ${kind === undefined ? "got nothing" : `got "${kind}"`}`);
  Deno.exit(1);
}
