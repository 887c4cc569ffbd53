/** The first thing in which two engines differ: thrown, caught by the player. */
export class Difference extends Error {}

/** Throws Difference unless both are the same. Values are compared as they are shown. */
export function expectSame(what: string, left: unknown, right: unknown): void {
  const [a, b] = [show(left), show(right)];
  if (a !== b) throw new Difference(`${what}\n  left:  ${clip(a, b)}\n  right: ${clip(b, a)}`);
}

/** Throws Difference when two lists do not hold the same texts, whatever their order, with what only one of them has. */
export function expectSameBag(
  what: string,
  left: readonly string[],
  right: readonly string[],
  render: (text: string) => string,
): void {
  const counts = new Map<string, number>();
  for (const text of left) counts.set(text, (counts.get(text) ?? 0) + 1);
  for (const text of right) counts.set(text, (counts.get(text) ?? 0) - 1);
  const only = (sign: number) =>
    [...counts]
      .filter(([, count]) => count * sign > 0)
      .map(([text, count]) => `${Math.abs(count)} × ${render(text)}`);
  const [more, less] = [only(1), only(-1)];
  if (more.length === 0 && less.length === 0) return;
  const lines = (list: readonly string[]) => (list.length === 0 ? '—' : list.slice(0, 3).join('\n         '));
  throw new Difference(
    `${what}: ${left.length} and ${right.length}\n  only left:  ${lines(more)}\n  only right: ${lines(less)}`,
  );
}

export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return (
    JSON.stringify(value, function plain(this: Record<string, unknown>, name: string, each: unknown) {
      // a Buffer has turned itself into something else by now
      const held = this[name];
      if (held instanceof Uint8Array) return `<${Buffer.from(held).toString('latin1')}>`;
      if (typeof each === 'bigint') return `${each}n`;
      return Object.is(each, -0) ? '-0' : each;
    }) ?? 'undefined'
  );
}

/** Long texts from a little before where they part. */
function clip(text: string, other: string): string {
  const longest = 600;
  if (text.length <= longest) return text;
  let at = 0;
  while (at < text.length && text[at] === other[at]) at++;
  const from = Math.max(0, at - 100);
  return `${from > 0 ? '…' : ''}${text.slice(from, from + longest)}… (${text.length} characters)`;
}
