/** The code stays where codes of real pictures are: from 0 to mean + 3σ of each value (Nguyen et al. 2016, 3.2). */

/** The statement; `lowest` is far away where there are no bounds. */
export const bounds = "code = clamp(code, vec4f(s.lowest), load_bound(own));";

/** The same of bounds whose lower ones, of each value too, lie behind the upper ones. */
export const bothBounds = (texels: number): string =>
  `code = clamp(code, load_bound(own + ${texels}u), load_bound(own));`;
