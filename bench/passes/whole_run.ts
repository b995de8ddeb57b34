/** A search's iteration or a network's run as one thing to time. */
import type { Submit } from "../../src/gpu/timing.ts";
import type { Running } from "../running.ts";
import type { Sampling } from "./runs.ts";

/** Submits whole runs, of which the first is a first one. */
export const wholeRun = ({ plan, restart }: Running): Submit => (times, timestamps) => {
  restart();
  plan.submit(times, false, timestamps);
};

/** An iteration of a search alone. */
export const iterationOf: Sampling = (running) => ({ [`an iteration of ${running.title}`]: wholeRun(running) });
