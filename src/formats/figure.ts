/** Figures for lines and tables. */

/** From here on a figure is a power of ten. */
const HUGE = 1e9;

/** A number with so many decimals, but never as zero where it is none: what is smaller than they show has two digits, what is huge three. */
export function figure(value: number, decimals = 2): string {
  const size = Math.abs(value);
  if (size >= HUGE) return value.toPrecision(3);
  return size > 0 && size < 10 ** (1 - decimals) ? value.toPrecision(2) : value.toFixed(decimals);
}
