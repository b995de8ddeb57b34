/** What the page shows, as the part of its address behind the #: anybody who opens it sees the same. */
import type { Wanted } from "../engine/messages.ts";

/** The part of a hash that tells models apart. */
const LETTERS = 12;

/** What an address names. */
export interface Place {
  /** The beginning of the classifier's hash. */
  model?: string;
  layer?: string;
  units?: number[];
  together?: true;
  method?: string;
  target?: string;
  seeds?: number[];
}

const numbers = (text: string | null): number[] | undefined => {
  const list = text?.split(",").map(Number) ?? [];
  return list.length > 0 && list.every((number) => Number.isSafeInteger(number) && number >= 0) ? list : undefined;
};

/** Reads an address's end. */
export function placeOf(hash: string): Place {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  return {
    model: said.get("model") ?? undefined,
    layer: said.get("layer") ?? undefined,
    units: numbers(said.get("unit")),
    together: said.has("together") || undefined,
    method: said.get("method") ?? undefined,
    target: said.get("target") ?? undefined,
    seeds: numbers(said.get("seed")),
  };
}

/** The address of a network, of which nothing else is shown yet. */
export const modelHash = (hash: string): string => `#model=${hash.slice(0, LETTERS)}`;

/** Writes it. */
export function hashOf({ method, layer, units, together, target, seeds }: Wanted, model: string): string {
  const said = new URLSearchParams({ model: model.slice(0, LETTERS) });
  if (layer !== undefined) said.set("layer", layer);
  if (target === undefined) said.set("unit", units.join(","));
  else said.set("target", target);
  if (together && target === undefined) said.set("together", "yes");
  if (method !== undefined) said.set("method", method);
  said.set("seed", seeds.join(","));
  return `#${said.toString().replaceAll("%2C", ",")}`;
}
