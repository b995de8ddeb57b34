/**
 * How a classifier looks at a picture in each iteration: shifted by whole pixels, larger or smaller, turned, all at random (Mordvintsev
 * et al. 2015, Olah et al. 2017). Drawn here from the pictures' seeds, so that every adapter sees the same.
 */
import { uniforms } from "./random.ts";
import type { Settings } from "./settings.ts";

/** What the views are drawn from. */
export type Viewing = Pick<Settings, "jitter" | "zoom" | "rotation">;

/** Whether the classifier sees anything but the picture as it is. */
export const hasViews = ({ jitter = 0, zoom = 0, rotation = 0 }: Partial<Viewing>): boolean =>
  jitter > 0 || zoom > 0 || rotation > 0;

/** A stream beside that of the seed's code. */
const STREAM = 0x5bd1e995;

/** The numbers of `warp` in each iteration, of each seed's picture one after the other: [iterations × seeds × 4]. */
export function viewsOf(
  { jitter, zoom, rotation, iterations }: Viewing & Pick<Settings, "iterations">,
  seeds: readonly number[],
): Float32Array<ArrayBuffer> {
  const views = new Float32Array(4 * iterations * seeds.length);
  seeds.forEach((seed, item) => {
    const uniform = uniforms(seed ^ STREAM);
    const shift = () => Math.floor(uniform() * (2 * jitter + 1)) - jitter;
    for (let n = 0; n < iterations; n++) {
      const [x, y] = [shift(), shift()];
      const scale = 1 + zoom * (2 * uniform() - 1);
      const angle = rotation * (2 * uniform() - 1) * Math.PI / 180;
      views.set([Math.cos(angle) / scale, Math.sin(angle) / scale, x, y], 4 * (n * seeds.length + item));
    }
  });
  return views;
}
