/** The command line that makes the same pictures. */
import { quoted, settingWords } from "../../src/synth/words.ts";
import type { Opened, Wanted } from "../engine/messages.ts";

/** It. Only what differs from the defaults is said; networks that are not the embedded ones are named by folder. */
export function commandOf(
  { method, layer, units, together, target, seeds, wishes, from }: Wanted,
  { classifier, generator, settings, methods }: Opened,
  embedded: Opened,
  photograph = "",
): string {
  const words = ["deno task synth"];
  if (target !== undefined) words.push(`--target ${quoted(target)}`);
  else {
    if (layer !== undefined && layer !== classifier.layer) words.push(`--layer ${quoted(layer)}`);
    words.push(units.length === 1 ? `--unit ${units[0]}` : `--units ${units.join(",")}`);
    if (together && units.length > 1) words.push("--together");
  }
  if (seeds.length > 1) words.push(`--seeds ${seeds.join(",")}`);
  else if (seeds[0] !== 0) words.push(`--seed ${seeds[0]}`);
  if (from !== undefined) words.push(`--init ${quoted(photograph)}`);
  if (method !== undefined) words.push(`--method ${method}`);
  words.push(...settingWords(wishes, method === undefined ? settings : methods[method].settings));
  if (classifier.hash !== embedded.classifier.hash) words.push(`--classifier ${quoted(`models/${classifier.name}`)}`);
  if (wishes.prior === "learned" && generator.hash !== embedded.generator.hash) {
    words.push(`--generator ${quoted(`models/${generator.name}`)}`);
  }
  return words.join(" ");
}

/** The command line that makes a saved picture again. */
export const fromCommand = (file: string): string => `deno task synth --from ${quoted(file)}`;
