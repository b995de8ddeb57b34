/** Where the visitor is and has been: an entry of the browser's history for every view and every search. */
import { computed, effect, signal } from "@preact/signals";
import { searchHash, viewHash } from "./address.ts";
import { opened, openLayer, phase, started, view, wanted } from "./state.ts";

/** What the views are called. */
export const names = { search: "Search", network: "Network", photograph: "Photographs", gpu: "This GPU" };

/** Deeds that are under way and lead somewhere: until they have ended, the address stays. */
const underWay = signal(0);

/** Does something that leads elsewhere: one entry, however many steps it has. */
export async function going<T>(run: () => Promise<T>): Promise<T> {
  underWay.value++;
  try {
    return await run();
  } finally {
    underWay.value--;
  }
}

/** Follows the address: what comes of that stands in the place of its entry. */
export async function following(run: () => Promise<void>): Promise<void> {
  entry = "replaceState";
  try {
    await going(run);
  } finally {
    entry = "pushState";
  }
}

let entry: "pushState" | "replaceState" = "pushState";

/** The address of the search that is shown, where there is one. */
export const searchAddress = computed((): string | undefined => {
  const now = wanted.value;
  if (!opened.value || !now || !started.value) return undefined;
  return searchHash(now, opened.value.classifier.hash);
});

const address = computed((): string => {
  const model = opened.value?.classifier.hash ?? "";
  if (view.value === "search") return searchAddress.value ?? viewHash("search", model);
  return viewHash(view.value, model, view.value === "network" ? openLayer.value : undefined);
});

/** What is shown while the address names what is not here: then it is left as it is. */
let instead = "";

/** Leaves the address as it is until something else is shown. */
export function stay(): void {
  instead = address.value;
}

effect(() => {
  const now = address.value;
  if (phase.value !== "ready" || underWay.value > 0 || now === instead) return;
  instead = "";
  if (now !== location.hash) history[entry](null, "", now);
});

effect(() => {
  const what = view.value === "search" && started.value ? started.value.titles.join(", ") : names[view.value];
  document.title = phase.value === "ready" ? `${what} · Phosphene` : "Phosphene: what a neuron wants to see";
});
