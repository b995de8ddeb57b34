/** The visitor's photographs, as the page knows them, and what can be done with them. */
import { batch, computed, signal } from "@preact/signals";
import type { Picture } from "../../src/mod.ts";
import type { Excited, LayerView, Near, Photograph } from "../engine/messages.ts";
import { arrived, attempt, engine, opened, view } from "./state.ts";

/** All of them, and the one that is shown: the last unless another is chosen. */
export const photographs = signal<readonly Photograph[]>([]);
const chosen = signal<number | undefined>(undefined);
export const photograph = computed(() =>
  photographs.value.find(({ id }) => id === chosen.value) ?? photographs.value.at(-1)
);

/** What each layer makes of it. */
export const looks = signal<readonly LayerView[]>([]);
/** What of it excites a unit, which is called so. */
export const region = signal<{ picture: Picture; title: string } | undefined>(undefined);
/** Those that are nearest to it: in pixels, or to a layer. */
export const nearest = signal<{ layer?: string; found: readonly Near[] } | undefined>(undefined);
/** Those that excite a unit of a layer most. */
export const best = signal<{ layer?: string; unit: number; found: readonly Excited[] } | undefined>(undefined);

/** A photograph by its number. */
export const photographOf = (id: number): Photograph | undefined => photographs.value.find((one) => one.id === id);

/** Shows one. */
export function choose(id: number): void {
  batch(() => {
    chosen.value = id;
    looks.value = [];
    region.value = undefined;
    nearest.value = undefined;
    view.value = "photograph";
  });
}

/** Whether the next that comes shall be shown. */
let showNext = false;

/** Photographs may come: the first of them is shown. */
export function takeMore(): void {
  showNext = true;
}

/** Leaves those that could not be looked at. */
export function leaveUnseen(): void {
  photographs.value = photographs.value.filter(({ top }) => top);
}

arrived.subscribe((one) => {
  if (!one) return;
  best.value = undefined;
  const known = photographOf(one.id);
  photographs.value = known
    ? photographs.value.map((other) => other === known ? one : other)
    : [...photographs.value, one];
  if (showNext) choose(one.id);
  showNext = false;
});

/** Takes one away. */
export async function forget(id: number): Promise<void> {
  await attempt("", async () => {
    await engine.forget(id);
    batch(() => {
      photographs.value = photographs.value.filter((one) => one.id !== id);
      best.value = undefined;
      region.value = undefined;
      looks.value = [];
      nearest.value = undefined;
    });
  });
}

/** Has the networks at hand look at all of them, once they are others. */
export async function seeAgain(): Promise<void> {
  batch(() => {
    looks.value = [];
    region.value = undefined;
    nearest.value = undefined;
    best.value = undefined;
  });
  if (photographs.value.length === 0) return;
  photographs.value = await attempt("Looking at your photographs", () => engine.photographs()) ?? [];
}

/** Tells what each layer makes of it, one after the other. */
export async function look(id: number): Promise<void> {
  const layers = opened.value!.classifier.layers.filter(({ target, type }) => target !== undefined && type !== "input");
  for (const name of new Set(layers.map(({ blob }) => blob))) {
    const found = await attempt(`Looking at ${name}`, () => engine.look(id, name));
    if (!found || photograph.value?.id !== id) return;
    looks.value = [...looks.value.filter(({ layer }) => layer !== name), found];
  }
}

/** Shows what of it excites a unit. */
export async function showRegion(id: number, layer: string | undefined, unit: number, title: string): Promise<void> {
  const picture = await attempt(`Hiding parts of it from “${title}”`, () => engine.region(id, layer, unit));
  if (picture && photograph.value?.id === id) region.value = { picture, title };
}

/** Shows it as it is again. */
export function showWhole(): void {
  region.value = undefined;
}

/** Finds those that are nearest to it. */
export async function findNearest(id: number, layer: string | undefined): Promise<void> {
  const found = await attempt("Comparing your photographs", () => engine.nearest(id, layer));
  if (found && photograph.value?.id === id) nearest.value = { layer, found };
}

/** Finds those that excite a unit most. */
export async function findBest(layer: string | undefined, unit: number): Promise<void> {
  const found = await attempt("Showing it your photographs", () => engine.best(layer, unit));
  if (found) best.value = { layer, unit, found };
}
