/** Tuned ways in a page's own storage: kept from visit to visit where the browser keeps anything. */
import { readWays, type TunedWays, writeWays } from "./ways_file.ts";

/** Their name in the storage. */
const NAME = "phosphene tuned ways";

/** What an earlier visit has kept; nothing where there is no storage, or none of ours in it. */
export function loadWays(): TunedWays {
  try {
    return readWays(globalThis.localStorage.getItem(NAME) ?? "");
  } catch {
    return new Map(); // a page without storage: private, or of no origin
  }
}

/** Keeps ways for the next visit. False where the storage is full, or there is none. */
export function saveWays(ways: TunedWays): boolean {
  try {
    globalThis.localStorage.setItem(NAME, writeWays(ways));
    return true;
  } catch {
    return false;
  }
}
