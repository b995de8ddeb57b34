/** How a picture of another size becomes one of the classifier's, in words. */

/** Ways to make it of that size. */
export const fits = ["auto", "crop", "resize"] as const;
/** One of them. */
export type Fit = typeof fits[number];

/** How a picture is resized. */
export const interpolations = ["bilinear", "bicubic"] as const;
/** One of them. */
export type Interpolated = typeof interpolations[number];

/** How a picture is fitted. */
export interface Fitting {
  /** `auto`, the default, keeps the centre of a picture that is larger, and resizes others. */
  fit?: Fit;
  /** How it is resized; bilinear unless given. */
  interpolation?: Interpolated;
}
