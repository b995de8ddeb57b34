/** Which pictures excite each unit of a layer most: a walk over all that the index has not seen. */
import { UserError } from "../formats/user_error.ts";
import type { Device, Model, NetOptions } from "../mod.ts";
import { Best } from "./best.ts";
import { type Indexed, readIndex, writeIndex } from "./example_index.ts";
import { readBytes, statOf } from "./files.ts";
import { Outputs } from "./outputs/outputs.ts";
import type { PictureSet } from "./picture_set.ts";
import { runPictures } from "./pictures.ts";

/** An index is saved so often, in milliseconds: what a run that is killed loses. */
const saveMs = 30_000;

/** Bytes of an index beside the pictures' identities. */
const tableBytes = 1 << 20;

/** What is known of the pictures of a set: which of them have been seen, and the best of those. */
export interface Known {
  seen: Uint8Array;
  best: Best;
}

/** Nothing is known of any picture. */
export const nothingKnown = (set: PictureSet, { layer, keep }: Indexed): Known => ({
  seen: new Uint8Array(set.count),
  best: new Best(layer.channels, keep),
});

/**
 * What an index knows of these pictures.
 * @param file It may be missing. @throws UserError where it is of something else, or of pictures that are not there or have changed.
 */
export async function recall(file: string, set: PictureSet, indexed: Indexed): Promise<Known> {
  // Before any is read: what changes meanwhile is another picture to the next run.
  const placeOf = new Map(Array.from({ length: set.count }, (_, index) => [set.identity(index), index]));
  if (!statOf(file)) return nothingKnown(set, indexed);
  const { identities, best } = readIndex(await readBytes(file), file, indexed);
  const seen = new Uint8Array(set.count);
  const places = identities.map((identity) => placeOf.get(identity));
  const gone = identities.filter((_, n) => places[n] === undefined);
  if (gone.length > 0) {
    const [path] = gone[0].split("\n");
    const more = gone.length > 1 ? ` and ${gone.length - 1} more` : "";
    throw new UserError(
      `${file} knows pictures that are not among these any more, or have changed: ${path}${more}; --index names another folder`,
    );
  }
  for (const place of places) seen[place!] = 1;
  return { seen, best: best.renumbered((picture) => places[picture]!) };
}

/** The index of what is known. */
function indexOf({ seen, best }: Known, set: PictureSet, indexed: Indexed): Uint8Array {
  const identities: string[] = [];
  const rank = new Int32Array(set.count);
  seen.forEach((is, index) => {
    rank[index] = identities.length;
    if (is) identities.push(set.identity(index));
  });
  return writeIndex(indexed, { identities, best: best.renumbered((picture) => rank[picture]) });
}

/**
 * Runs the pictures that nobody has seen yet, and adds them to what is known.
 * @returns Why some were left out. @throws UserError, GpuError as `runPictures`; what is known by then is kept.
 */
export async function seeAll(
  device: Device,
  model: Model,
  set: PictureSet,
  indexed: Indexed,
  known: Known,
  { index, ...how }: Pick<NetOptions, "choose" | "onPlan"> & { signal: AbortSignal; index?: string },
): Promise<string[]> {
  const all = Array.from({ length: set.count }, (_, place) => place);
  const todo = all.filter((place) => !known.seen[place]);
  if (todo.length === 0) return [];
  const { read, files } = set;
  const rest = {
    count: todo.length,
    read: (n: number) => read(todo[n]),
    files: files && todo.map((place) => files[place]),
  };
  using outputs = index === undefined
    ? undefined
    : Outputs.open([index], { force: true, bytes: tableBytes + 100 * set.count });
  const save = () => outputs?.save([[index!, indexOf(known, set, indexed)]]);
  let savedAt = performance.now();
  try {
    return await runPictures(device, model, rest, {
      values: [indexed.layer.name],
      total: set.count,
      leavesOutAll: known.seen.includes(1),
      ...how,
    }, (output, n) => {
      known.best.offerMaxima(output, todo[n]);
      known.seen[todo[n]] = 1;
      if (performance.now() - savedAt < saveMs) return;
      save();
      savedAt = performance.now();
    });
  } finally {
    if (known.seen.includes(1)) save();
    outputs?.finish();
  }
}
