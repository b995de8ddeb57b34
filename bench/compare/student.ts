/** Student's t distribution for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4). */

/** The probability of a t outside ±`t`. */
export function outside(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2;
  let term = odd ? cos : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let power = odd ? 3 : 2; power <= freedom - 2; power += 2) {
    term *= cos ** 2 * (power - 1) / power;
    sum += term;
  }
  return 1 - (odd ? 2 / Math.PI * (angle + sin * sum) : sin * sum);
}
