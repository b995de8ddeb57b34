/** What the page shows, as the part of its address behind the #: anybody who opens it sees the same. */
import type { Opened, Wanted } from "../engine/messages.ts";
import { lastSeed } from "../../src/synth/settings.ts";

/** The part of a hash that tells models apart. */
const LETTERS = 12;

/** The views. */
export const views = ["search", "network", "photograph", "gpu"] as const;
export type View = typeof views[number];

/** What an address names. */
export interface Place {
  /** The beginning of the classifier's hash. */
  model?: string;
  /** The search unless it says so. */
  view: View;
  /** The layer that is searched, or in the network's view the one whose atlas is open. */
  layer?: string;
  units?: number[];
  together?: true;
  method?: string;
  target?: string;
  seeds?: number[];
  /** What it says that cannot be, and what was expected: that is left out. */
  faults: string[];
}

const keys = ["model", "view", "layer", "unit", "together", "method", "target", "seed"];

/** Reads an address's end, for the networks at hand. */
export function placeOf(hash: string, { classifier, methods }: Pick<Opened, "classifier" | "methods">): Place {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const faults = [...said.keys()].filter((key) => !keys.includes(key)).map((key) => `${key}, which says nothing here`);
  const refuse = (key: string, expected: string) => void faults.push(`${key}=${said.get(key)}, expected ${expected}`);
  const word = <T extends string>(key: string, known: readonly T[]): T | undefined => {
    const found = known.find((one) => one === said.get(key));
    if (!found && said.has(key)) refuse(key, `one of ${known.join(", ")}`);
    return found;
  };
  const numbers = (key: string, most: number): number[] | undefined => {
    const text = said.get(key);
    const list = /^\d+(,\d+)*$/.test(text ?? "") ? text!.split(",").map(Number) : [];
    if (list.length > 0 && list.every((number) => number <= most)) return list;
    if (text !== null) refuse(key, `numbers from 0 to ${most}, such as 7 or 3,7`);
  };
  const layers = classifier.layers.filter(({ target, type }) => target !== undefined && type !== "input");
  const layer = word("layer", layers.map(({ target }) => target!));
  const { units: count } = layers.find(({ target }) => target === (layer ?? classifier.layer))!;
  return {
    model: said.get("model") ?? undefined,
    view: word("view", views) ?? "search",
    layer,
    // Of a layer that is not there, its units are not either.
    units: said.has("layer") && layer === undefined ? undefined : numbers("unit", count - 1),
    together: said.has("together") || undefined,
    method: word("method", Object.keys(methods)),
    target: said.get("target") ?? undefined,
    seeds: numbers("seed", lastSeed),
    faults,
  };
}

/** Writes the address of a view; `layer` is the one whose atlas is open. */
export function viewHash(view: View, model: string, layer?: string): string {
  const said = new URLSearchParams({ model: model.slice(0, LETTERS) });
  if (view !== "search") said.set("view", view);
  if (layer !== undefined) said.set("layer", layer);
  return `#${said}`;
}

/** Writes that of a search. */
export function searchHash({ method, layer, units, together, target, seeds }: Wanted, model: string): string {
  const said = new URLSearchParams({ model: model.slice(0, LETTERS) });
  if (layer !== undefined) said.set("layer", layer);
  if (target === undefined) said.set("unit", units.join(","));
  else said.set("target", target);
  if (together && target === undefined) said.set("together", "yes");
  if (method !== undefined) said.set("method", method);
  said.set("seed", seeds.join(","));
  return `#${said.toString().replaceAll("%2C", ",")}`;
}
