/** How kernels are written: constants on top, and one statement for each register of a tile. */

/** 0 … length − 1. */
export const range = (length: number): number[] => Array.from({ length }, (_, n) => n);

/** A number as a WGSL f32 literal that keeps every bit. */
export function literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

/** WGSL constants, unsigned. */
export const constants = (values: Record<string, number>): string =>
  Object.entries(values).map(([name, value]) => `const ${name} = ${value}u;`).join("\n");

/** WGSL constants, signed. */
export const signedConstants = (values: Record<string, number>): string =>
  Object.entries(values).map(([name, value]) => `const ${name} = ${value}i;`).join("\n");

/** WGSL constants, floats. */
export const floatConstants = (values: Record<string, number>): string =>
  Object.entries(values).map(([name, value]) => `const ${name} = ${literal(value)};`).join("\n");

/** WGSL of a name plus a number: `block + 1u`, or with another suffix `shiftX - 1`. */
export function plus(name: string, n: number, suffix = "u"): string {
  if (n === 0) return name;
  return n < 0 ? `${name} - ${-n}${suffix}` : `${name} + ${n}${suffix}`;
}

/**
 * A statement for each point of a grid, the last axis fastest: compilers keep in registers what has a name of its own,
 * and arrays in memory.
 */
export function unroll<Axis extends string>(
  grid: Record<Axis, number>,
  statement: (at: Record<Axis, number>) => string,
): string {
  let points = [{} as Record<Axis, number>];
  for (const [axis, length] of Object.entries<number>(grid)) {
    points = points.flatMap((point) => range(length).map((n) => ({ ...point, [axis]: n })));
  }
  return points.map(statement).join("\n");
}
