/** A program that makes one model after the other until a signal ends it. The argument is how the folders' names begin. */
import { hearToTheEnd } from "../../src/cli/interrupt.ts";
import { openPlace, writeModel } from "../../tools/convert/folder.ts";

hearToTheEnd();
for (let n = 0;; n++) {
  using place = openPlace(`${Deno.args[0]}${n}`, false);
  writeModel(place, { text: "{}", tensors: new Map(), layers: 0, parameters: 0 }, { start: 0 });
  await new Promise((turn) => setTimeout(turn, 0));
}
