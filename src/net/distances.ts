/** How far two pictures are from each other, in pixels or as a layer has them. */

export type Distance = (a: ArrayLike<number>, b: ArrayLike<number>) => number;

/** Distances of two vectors of as many values, in float64. */
export const distances: Record<"euclidean" | "cosine", Distance> = {
  euclidean(a, b) {
    let sum = 0;
    for (let n = 0; n < a.length; n++) sum += (a[n] - b[n]) ** 2;
    return Math.sqrt(sum);
  },
  /** A vector of zeros has no angle, and is at 1 from all others. */
  cosine(a, b) {
    let [dot, aa, bb] = [0, 0, 0];
    for (let n = 0; n < a.length; n++) {
      dot += a[n] * b[n];
      aa += a[n] * a[n];
      bb += b[n] * b[n];
    }
    return aa === 0 || bb === 0 ? 1 : 1 - dot / Math.sqrt(aa * bb);
  },
};
