/** The number of values that a shape has: 1 for that of a single number, []. */
export const valueCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
