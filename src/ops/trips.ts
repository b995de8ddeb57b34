/**
 * How long an invocation may loop. Lavapipe (Mesa 22's llvmpipe) silently ends the loops of an invocation after 65,535
 * trips in all, and every driver ends a kernel that runs for seconds.
 */

/** Loop trips that one invocation may make, those of all its loops together. */
export const MOST_TRIPS = 60_000;
