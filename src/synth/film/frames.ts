/**
 * A film: a batch whose items are the frames of one sequence, each drawn from a code of its own, for a classifier that reads
 * sequences (LRCN, Donahue et al. 2015).
 *
 * What is climbed is the target's sum over all frames. Such a classifier answers at every frame, and LRCN takes the mean of its
 * answers, so the sum climbs what it says of the film; that one frame's gradient reaches the answers at all that follow is the
 * classifier's doing. The codes are one blob, as in the paper's program: steps are measured by the mean magnitude of the gradient
 * over all frames, so frames that matter more change more.
 */
import { UserError } from "../../formats/user_error.ts";
import { sequenceLayer } from "../../net/graph.ts";
import type { Joined } from "../joined.ts";
import type { MadeSearch, Target } from "../options.ts";
import { normals } from "../random.ts";
import type { Settings } from "../settings.ts";

/** Frames of the longest film. */
export const MOST_FRAMES = 10_000;

/**
 * The targets of a film's frames, each with the code where it starts: a seed's numbers go on from frame to frame, and a code may be
 * one for all frames or hold one for each.
 * @param size Values of one code.
 * @throws UserError where there can be no film.
 */
export function framesOf(
  { targets, frames = 1, octaves, noise, classifier, generator }: MadeSearch & Pick<Settings, "octaves" | "noise">,
  { graph, output }: Joined,
  size: number,
): Target[] {
  const [{ code, ...target }, ...others] = targets;
  if (!(Number.isSafeInteger(frames) && frames >= 1 && frames <= MOST_FRAMES)) {
    throw new UserError(`a film of ${frames} frames, expected 1 to ${MOST_FRAMES}`);
  }
  if (others.length > 0) throw new UserError("a film is of one target; search for one at a time");
  if (octaves > 1) throw new UserError("octaves are of single pictures; a film has none");
  if (!sequenceLayer(graph, [output])) {
    throw new UserError(
      `${classifier.name} reads no sequence: frames would be pictures of their own, which several seeds make too`,
    );
  }
  if (code && code.length !== size && code.length !== frames * size) {
    throw new UserError(
      `the starting code has ${code.length} values, ${generator.name} takes ${size}, or ${frames} times as many`,
    );
  }
  const all = code ?? normals(target.seed, frames * size).map((value) => noise * value);
  return Array.from({ length: frames }, (_, n): Target => {
    return { ...target, code: all.length === size ? all : all.subarray(n * size, (n + 1) * size) };
  });
}
