/** A line of shell as lists of words, a list a command: quotes and remarks as a shell has them, nothing is expanded. */
export function wordsOfLine(line: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | null = null;
  let isTarget = false;
  const end = () => {
    if (word !== null && !isTarget) commands.at(-1)!.push(word);
    if (word !== null) isTarget = false;
    word = null;
  };
  for (let i = 0; i < line.length; i++) {
    const sign = line[i]!;
    if (sign === "'" || sign === '"') {
      const close = line.indexOf(sign, i + 1);
      const to = close < 0 ? line.length : close;
      word = (word ?? '') + line.slice(i + 1, to);
      i = to;
    } else if (line.startsWith('$(', i)) {
      const close = line.indexOf(')', i);
      const to = close < 0 ? line.length - 1 : close;
      word = (word ?? '') + line.slice(i, to + 1);
      i = to;
    } else if (/\s/.test(sign)) {
      end();
    } else if (sign === '#' && word === null) {
      break;
    } else if (/[;&|]/.test(sign)) {
      end();
      commands.push([]);
    } else if (/[<>]/.test(sign)) {
      end();
      // where to: no word of the command
      isTarget = true;
    } else {
      word = (word ?? '') + sign;
    }
  }
  end();
  return commands.filter((words) => words.length > 0);
}
