/** Numbers in kernels' text. */

/** A number as a WGSL f32 literal that keeps every bit. */
export function literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
