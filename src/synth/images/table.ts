/** The table of image priors. */
import { fourier } from "./fourier.ts";
import type { ImageName, ImagePrior } from "./image.ts";
import { pixels } from "./pixels.ts";

/** Every image prior. */
export const images: Readonly<Record<ImageName, ImagePrior>> = { pixels, fourier };

/** The names of all image priors. */
export const imageNames: readonly ImageName[] = Object.keys(images) as ImageName[];
