/**
 * The word that was probably meant: for option names and for the segments of keys.
 *
 * @module
 */

/** The candidate closest to `word`, or `null` where none is near. Case, `_` and `-` do not count. */
export function nearestWord(word: string, candidates: readonly string[]): string | null {
  const plain = plainWord(word);
  let best: string | null = null;
  // A third of the letters may differ: beyond that words are only alike by chance.
  let least = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain, plainWord(candidate));
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** How many letters must be inserted, deleted, replaced or swapped with their neighbour (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

function plainWord(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, "");
}
