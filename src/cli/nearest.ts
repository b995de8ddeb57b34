/** The word that somebody has probably meant who mistyped it. */

/** The word nearest to this one; undefined where more than one letter in three is another. Two that changed places count as one. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const all = words.map((word) => ({ word, distance: distance(typed, word) }));
  const [first] = all.sort((a, b) => a.distance - b.distance);
  return first && 3 * first.distance <= typed.length ? first.word : undefined;
}

/** The fewest letters to add, drop, replace or let change places with their neighbours, to make one word of another. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      rows[i][j] = Math.min(
        rows[i - 1][j] + 1,
        rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + same,
        swapped ? rows[i - 2][j - 2] + 1 : Infinity,
      );
    }
  }
  return rows[a.length][b.length];
}
