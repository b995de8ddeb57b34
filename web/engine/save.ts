/** Files of a search for the visitor: what `synth` would have written. */
import { encodeGif } from "../../src/formats/animation.ts";
import { figure } from "../../src/formats/figure.ts";
import { contactSheet } from "../../src/formats/image.ts";
import { writeNpy } from "../../src/formats/npy.ts";
import { encodePng } from "../../src/formats/png.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { Device } from "../../src/mod.ts";
import { description, recordOf, titleOf } from "../../src/record/making.ts";
import { type PictureRecord, recordText } from "../../src/record/record.ts";
import type { Job, Request } from "../../src/record/request.ts";
import type { Pair } from "./pair.ts";
import type { SavedFile, Saving } from "./messages.ts";
import type { Snapshot } from "./run.ts";

/** What is saved of. */
interface Source {
  request: Request;
  job: Job;
  models: Pair;
  device: Device;
  version: string;
}

/** How a GIF shows its frames; the last one stays a while. */
const frameMs = 80;
const lastFrameTimes = 12;

/** The file. @throws UserError where there is nothing of the kind. */
export function saved({ kind, item, frames = [] }: Saving, source: Source, snapshot: Snapshot): SavedFile {
  const { items } = snapshot;
  const records = items.map((_, n) => recorded(source, snapshot, n));
  const { picture } = items[item];
  const { record, title } = records[item];
  const name = nameOf(record);
  if (kind === "png") {
    const bytes = encodePng(picture, recordText(record, description(record, title)));
    return { name: `${name}.png`, type: "image/png", bytes };
  }
  if (kind === "code") {
    const { code } = items[item];
    const bytes = writeNpy({ shape: [code.length], data: code }) as SavedFile["bytes"];
    return { name: `${name}.npy`, type: "application/octet-stream", bytes };
  }
  if (kind === "gif") {
    if (frames.length === 0) throw new UserError("there are no frames yet");
    const last = Array.from({ length: lastFrameTimes }, () => frames.at(-1)!);
    return {
      name: `${name}.gif`,
      type: "image/gif",
      bytes: encodeGif([...frames, ...last], { delayMs: frameMs, scale: Math.ceil(256 / picture.width) }),
    };
  }
  const tiles = items.map(({ picture: image, activation }, n) => ({
    image,
    caption: `${records[n].title} seed ${records[n].record.seed}: ${figure(activation, 1)}`,
  }));
  const { Software } = recordText(record, "");
  const sheet = encodePng(contactSheet(tiles, Math.ceil(Math.sqrt(tiles.length))), { Software });
  return { name: `${name}_sheet.png`, type: "image/png", bytes: sheet };
}

/** What a picture says of itself, and its unit's name. */
function recorded({ request, job, models, device, version }: Source, snapshot: Snapshot, n: number) {
  const { settings, start, bounds, losses, items } = snapshot;
  const [row] = job.rows;
  const { layer, items: asked } = row;
  const place = request.repeats?.keep ?? n;
  const record = recordOf(request, models, {
    row: { ...row, settings },
    items: asked,
    place,
    item: { target: asked[place], zeroGradient: false, ...items[n] },
    start,
    bounds,
    own: [],
    version,
    device,
    losses,
  });
  const { units, target } = asked[place];
  return { record, title: layer && units ? titleOf(units, layer, models.classifier) : target };
}

/** The name that `synth` gives a picture, about. */
function nameOf({ layer, units, target = "target", seed }: PictureRecord): string {
  const what = layer && units ? `${layer}_${units.map((unit) => String(unit).padStart(4, "0")).join(",")}` : target;
  return `${what.replace(/[^\w.,-]+/g, "-").slice(0, 80)}_${seed}`;
}
