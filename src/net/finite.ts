/** Numbers that are none: where they stand, and how a sentence tells of them. */

/** The place of the first value that is NaN or infinite, -1 where there is none. */
export function firstNonFinite(values: Float32Array | Float64Array): number {
  for (let at = 0; at < values.length; at++) if (!Number.isFinite(values[at])) return at;
  return -1;
}

/** What leads there in a network whose weights, inputs and settings are numbers. */
export const beyondFloat32 = "values on the way leave float32's range of ±3.4e38";

/** The same where sums are made in half floats. */
export const beyondFloat16 = "values on the way leave f16's range of ±65504";
