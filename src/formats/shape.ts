/** The number of values that a shape has: 1 for that of a single number, [], and 0 where a size is, however large the others. */
export const valueCount = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
