/** The networks that a page has: a classifier, and a generator for the learned prior. */
import type { Models } from "../../src/record/request.ts";

/** Both of them. */
export type Pair = Required<Models>;
