/**
 * The geometry that convolutions and pooling share: how a parameter is spelt, and which pixels a window sees.
 */

/** One number for both directions, or [y, x]. */
export type Pair = number | number[];

/** One number for all sides, [y, x], or [top, left, bottom, right]. */
export type Padding = number | number[];

/** Both directions of a parameter. */
export function pair(value: Pair): [number, number] {
  return typeof value === "number" ? [value, value] : [value[0], value[1]];
}

/** All four sides of a padding. */
export function sides(value: Padding): { top: number; left: number; bottom: number; right: number } {
  const [top, left, bottom = top, right = left] = typeof value === "number" ? [value, value] : value;
  return { top, left, bottom, right };
}

/** How a kernel moves: over an image of [channels, height, width], the padded side, to each of `rows` × `columns`. */
export interface Sliding {
  image: [channels: number, height: number, width: number];
  rows: number;
  columns: number;
  kernel: Pair;
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
}

/**
 * Visits every value of the image that the kernel covers at every place. `value` counts through the image; `tap`
 * through places (row by row), and at each place through the kernel's (channel, ky, kx). Padding is not visited.
 */
export function forEachTap(sliding: Sliding, visit: (value: number, tap: number) => void): void {
  const { image: [channels, height, width], rows, columns, kernel, stride = 1, padding = 0, dilation = 1 } = sliding;
  const [kernelY, kernelX] = pair(kernel);
  const [strideY, strideX] = pair(stride);
  const [dilationY, dilationX] = pair(dilation);
  const { top, left } = sides(padding);
  let tap = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let ky = 0; ky < kernelY; ky++) {
          const y = row * strideY + ky * dilationY - top;
          for (let kx = 0; kx < kernelX; kx++, tap++) {
            const x = column * strideX + kx * dilationX - left;
            if (y >= 0 && y < height && x >= 0 && x < width) visit((channel * height + y) * width + x, tap);
          }
        }
      }
    }
  }
}
