/** What came from outside, for a terminal: nothing in it may steer one, or hide what stands beside it. */

/** Controls of both kinds, separators of lines, and what turns the direction of writing. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** On one line, each character that can't be shown as `·`, cut to `most` characters. */
export function printable(text: string, most = Number.POSITIVE_INFINITY): string {
  const clean = text.replace(UNSAFE, '·');
  const characters = [...clean];
  return characters.length <= most ? clean : `${characters.slice(0, most - 1).join('')}…`;
}

/** As text where it is UTF-8, in hex where it is not. */
export function printableBytes(bytes: Uint8Array, most: number): string {
  const text = tryText(bytes);
  if (text !== null) return printable(text, most);
  const hex = Buffer.from(bytes.subarray(0, most)).toString('hex');
  return printable(`0x${hex}`, most);
}

/** Null: it is not UTF-8. */
export function tryText(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
