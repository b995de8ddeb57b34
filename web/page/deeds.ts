/** What visitors can do. */
import type { DroppedFile, Saving, Wanted, Wishes } from "../engine/messages.ts";
import { placeOf } from "./address.ts";
import { keepFile } from "./files.ts";
import {
  adopt,
  asked,
  attempt,
  embeddedPair,
  engine,
  failure,
  history,
  lookedAt,
  looks,
  notice,
  opened,
  phase,
  photograph,
  repeated,
  running,
  selected,
  show,
  steered,
  view,
  wanted,
} from "./state.ts";

/** Begins: the device, the embedded pair, and what the address names. */
export async function begin(): Promise<void> {
  if (!navigator.gpu) {
    phase.value = "missing";
    return;
  }
  try {
    adopt(embeddedPair.value = await engine.open());
  } catch (error) {
    phase.value = /no adapter/i.test((error as Error).message) ? "missing" : "failed";
    failure.value = (error as Error).message;
    return;
  }
  phase.value = "ready";
  await openAddress();
}

/** The unit that is shown where the address names none: ILSVRC's bell pepper. */
const FIRST = 945;

/** Shows what the address names. */
export async function openAddress(): Promise<void> {
  const { model, layer, units = [FIRST], target, seeds = [0] } = placeOf(location.hash), pair = opened.value;
  if (!pair || !wanted.value) return;
  if (model !== undefined && !pair.classifier.hash.startsWith(model)) {
    notice.value = "The address names a network that is not here: drop its files to see the same.";
    return;
  }
  await find({ layer, units, target, seeds });
}

/** Searches for what is asked for, with the numbers at hand. */
export async function find(asked: Partial<Wanted>): Promise<void> {
  const target = asked.units === undefined ? wanted.value!.target : undefined;
  const now: Wanted = { ...wanted.value!, from: undefined, target, ...asked };
  view.value = "search";
  const answer = await attempt("", () => engine.search(now));
  if (answer) show(answer, now);
}

/** Pauses or goes on; at the end it begins again. */
export async function toggle(): Promise<void> {
  if (running.value === "running") {
    running.value = "paused";
    await engine.pause();
  } else if (running.value === "paused") {
    lookedAt.value = undefined;
    running.value = "running";
    await engine.resume();
  } else await (repeated.value ? take([repeated.value]) : find(wanted.value!));
}

/** One iteration, then pause. */
export async function step(): Promise<void> {
  lookedAt.value = undefined;
  running.value = "paused";
  await engine.step();
}

/** Other numbers: for the search on its way, and for the next. */
export async function steer(wishes: Partial<Wishes>): Promise<void> {
  const now = wanted.value!;
  wanted.value = { ...now, wishes: { ...now.wishes, ...wishes } };
  if (running.value !== "running" && running.value !== "paused") {
    repeated.value = undefined;
    return;
  }
  steered.value = true;
  await engine.steer(wishes);
}

/** The numbers of the paper's program, or of this network's own. */
export async function usual(): Promise<void> {
  const { settings, sigmas } = opened.value!;
  await steer({ ...settings, sigmas });
}

/** Frames of a GIF, about. */
const FRAMES = 40;

/** Saves a file. */
export async function save(kind: Saving["kind"]): Promise<void> {
  const { frames } = history, item = selected.value, every = Math.ceil(frames.length / FRAMES);
  const chosen = frames.filter((_, n) => n % every === 0 || n === frames.length - 1);
  const file = await attempt(
    "Saving",
    () =>
      engine.save({ kind, item, frames: kind === "gif" ? chosen.map(({ pictures }) => pictures[item]) : undefined }),
  );
  if (file) keepFile(file.name, file.type, file.bytes);
}

/** Bytes of a network past which its visitor is asked first, and how many times as much memory reading it takes at most. */
const ASKED = 5e7;
const TIMES = 3;

/** Takes what was dropped or chosen, and says before how much memory that takes, where it is much. */
export async function drop(files: DroppedFile[]): Promise<void> {
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0),
    megabytes = (count: number) => Math.ceil(count / 1e6);
  if (bytes < ASKED) return await take(files);
  const sentence = `These files have ${megabytes(bytes)} MB. Reading them takes up to ${
    megabytes(TIMES * bytes)
  } MB of memory, and a search with them about ${megabytes(bytes)} MB of the GPU’s.`;
  asked.value = { sentence, files };
}

/** Takes them. */
export async function take(files: DroppedFile[]): Promise<void> {
  asked.value = undefined;
  const dropped = await attempt(`Reading ${files[0]?.path ?? ""}`, () => engine.drop(files));
  if (!dropped) return;
  if (dropped.kind === "picture") {
    view.value = "search";
    show(dropped.started, dropped.started.wanted, files[0]);
  } else if (dropped.kind === "photograph") {
    photograph.value = dropped.photograph;
    looks.value = [];
    view.value = "photograph";
  } else {
    adopt(dropped.opened);
    notice.value = [`${dropped.opened[dropped.role].name} is the ${dropped.role} now.`, ...dropped.notes].join(" ");
    view.value = dropped.role === "classifier" ? "network" : "search";
  }
}

/** Back to the embedded pair. */
export async function restore(): Promise<void> {
  const pair = await attempt("", () => engine.embedded());
  if (!pair) return;
  adopt(pair);
  notice.value = "";
  await find({ units: [FIRST], layer: undefined, seeds: [0] });
}

/** Tells what each layer makes of the photograph, one after the other. */
export async function look(): Promise<void> {
  const layers = opened.value!.classifier.layers.filter(({ target, type }) => target !== undefined && type !== "input");
  for (const name of new Set(layers.map(({ blob }) => blob))) {
    const found = await attempt(`Looking at ${name}`, () => engine.look(name));
    if (!found) return;
    looks.value = [...looks.value.filter(({ layer }) => layer !== name), found];
  }
}
