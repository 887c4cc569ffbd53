/** The lines that two texts don't share, each as `- 12  text` or `+ 12  text` with its number in its own text. For short texts. */
export function lineDiff(before: string, after: string): string[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  const shared = sharedLines(old, now);
  const diff: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && shared[i + 1]![j]! >= shared[i]![j + 1]!)) {
      diff.push(`- ${i + 1}  ${old[i]}`);
      i += 1;
    } else {
      diff.push(`+ ${j + 1}  ${now[j]}`);
      j += 1;
    }
  }
  return diff;
}

/** [i][j]: how many lines what follows the i-th line of the one and the j-th of the other has in common, in order. */
function sharedLines(old: readonly string[], now: readonly string[]): number[][] {
  const shared = Array.from({ length: old.length + 1 }, () => new Array<number>(now.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      shared[i]![j] =
        old[i] === now[j] ? shared[i + 1]![j + 1]! + 1 : Math.max(shared[i + 1]![j]!, shared[i]![j + 1]!);
    }
  }
  return shared;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
