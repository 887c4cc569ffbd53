/** The nearest of some words to a mistyped one: a word in another case or spelling first, then by edit distance. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const plain = letters(word);
  const same = candidates.find((candidate) => letters(candidate) === plain);
  if (same !== undefined) return same;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(plain, letters(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  // a third of the word wrong is a typing error, more than that another word
  return best !== undefined && bestDistance <= Math.max(1, Math.floor(plain.length / 3)) ? best : undefined;
}

/** cutInterval, cut-interval and cut_interval are the same word. */
function letters(word: string): string {
  return word
    .slice(0, 100)
    .replace(/[^A-Za-z0-9]/g, '')
    .toLowerCase();
}

/** Insertions, deletions, changes and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(previous[j]! + 1, row[j - 1]! + 1, change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1);
      }
      row.push(least);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
