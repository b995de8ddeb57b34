/** Kernels written out, each as readable WGSL and what it binds. */
import { join } from "node:path";
import { filesBelow, isFolder } from "../src/cli/files.ts";
import { Outputs } from "../src/cli/outputs/outputs.ts";
import { UserError } from "../src/formats/user_error.ts";
import type { Device } from "../src/gpu/device.ts";
import { dumped, fileNames } from "../src/lab/dump.ts";
import type { PlannedKernel } from "../src/net/kernels.ts";

/** The option. */
export const dumpOption = {
  value: "DIR",
  help: "also writes each kernel's final WGSL into this folder, and beside it a JSON of what it binds",
};

/** @throws UserError where a folder has something in it that nobody wants overwritten, or cannot be written. */
export function checkDumpFolder(folder: string, force: boolean): void {
  Outputs.open([join(folder, "kernel.wgsl")], { force, bytes: 1 << 20 })[Symbol.dispose]();
  if (force || !isFolder(folder)) return;
  if (filesBelow(folder).length > 0) throw new UserError(`${folder} is not empty; --force overwrites what is there`);
}

/** A kernel's texts under its file's name, without an ending. */
export interface DumpedText {
  name: string;
  wgsl: string;
  json: string;
}

/** The texts of kernels. */
export function dumpedTexts(device: Device, kernels: readonly PlannedKernel[]): DumpedText[] {
  const names = fileNames(kernels);
  return kernels.map((kernel, n) => ({ name: names[n], ...dumped(kernel, device) }));
}

/** Writes kernels into a folder. */
export function writeDump(texts: readonly DumpedText[], folder: string, force: boolean): void {
  const encoder = new TextEncoder();
  const files = new Map<string, Uint8Array>();
  for (const { name, wgsl, json } of texts) {
    files.set(join(folder, `${name}.wgsl`), encoder.encode(wgsl));
    files.set(join(folder, `${name}.json`), encoder.encode(json));
  }
  using outputs = Outputs.open([...files.keys()], { force, bytes: 1 << 20 });
  outputs.save(files);
  outputs.finish();
}
