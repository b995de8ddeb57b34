/** A search's iteration or a network's run as one thing to time. */
import type { Submit } from "../../src/gpu/timing.ts";
import type { Running } from "../running.ts";

/** Submits whole runs, of which the first is a first one. */
export const wholeRun = ({ plan, restart }: Running): Submit => (times, timestamps) => {
  restart();
  plan.submit(times, false, timestamps);
};
