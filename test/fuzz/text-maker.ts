import type { Dice } from './dice.js';

/** Texts as values, and the many ways in which JSON spells one. */

/** Where comparisons by word, vector or prefix go wrong. */
const LENGTHS = [
  1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 255, 256, 257,
];

export const PLAIN_TEXTS = [
  'a',
  'b',
  'view',
  'buy',
  'end',
  'logout',
  'page_view',
  'click',
  'x=1',
  'null',
  'true',
  '0',
  '-1',
  '[]',
  '{}',
  ' ',
  'https://shop.example/p/1?q=a&b=c',
  'Mozilla/5.0 (X11; Linux x86_64)',
  '10.0.0.1',
  '{key}',
  '{start_ms}',
  'prefix',
  'prefixed',
  'A "quoted" title\nof two lines',
  'session-0123456789abcdef0123456789abcdef',
];

const ODD_TEXTS = [
  '',
  'é',
  'ü-ß',
  '日本語',
  '😀',
  '\u0000',
  'a\u0000b',
  '"',
  '\\',
  '\\u0041',
  '/',
  '\b\f\n\r\t',
  '\u001f',
  '\u007f',
  '\u0080',
  '\u07ff',
  '\u0800',
  '\ud7ff',
  '\ue000',
  '\ufeffx',
  '\ufffd',
  '\uffff',
  '\u2028\u2029',
  '\u{10000}',
  '\u{10ffff}',
  'e\u0301',
  '__proto__',
  'constructor',
  'aaaaaaaaaaaaaaaé',
  'aaaaaaaaaaaaaa"a',
  'aaaaaaaaaaaaaaa\\',
  '\ud800',
  '\udfff',
  'x\ud83d',
  '\udc00\ud800',
  'a\ud800b',
];

export function plainText(dice: Dice): string {
  if (dice.chance(0.6)) return dice.pick(PLAIN_TEXTS);
  const length = dice.pick(LENGTHS);
  const letter = String.fromCharCode(dice.between(0x61, 0x7a));
  // equal but for one place, so that a comparison that stops early is seen
  const at = dice.pick([0, length - 1, dice.below(length)]);
  return `${letter.repeat(at)}${dice.below(10)}${letter.repeat(length - at - 1)}`;
}

/** May hold lone surrogates. */
export function oddText(dice: Dice): string {
  if (dice.chance(0.5)) return dice.pick(ODD_TEXTS);
  const pieces = Array.from({ length: dice.between(1, 4) }, () =>
    dice.chance(0.5) ? dice.pick(ODD_TEXTS) : plainText(dice),
  );
  return pieces.join('');
}

export function longText(dice: Dice): string {
  const bytes = dice.weighted([
    [6, dice.between(300, 5_000)],
    [2, 70_000],
    [1, 1 << 20],
  ]);
  const text = dice.pick(['x', 'ab', 'é', '\\', '"', '\u0001', '😀', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé']);
  return text.repeat(Math.ceil(bytes / text.length));
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/**
 * A JSON string, with its quotes. `escapes`: how probable it is that a character which need not be escaped is. What must
 * be (quotes, controls, lone surrogates) always is.
 */
export function spell(dice: Dice, text: string, escapes: number): string {
  if (escapes === 0) return JSON.stringify(text);
  // a megabyte of escapes tests no more than these
  const start = text.slice(0, 300);
  const rest = text.length > 300 ? JSON.stringify(text.slice(300)).slice(1, -1) : '';
  return `"${spellUnits(dice, start, escapes)}${rest}"`;
}

function spellUnits(dice: Dice, text: string, escapes: number): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const char = text[i]!;
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    const must = unit < 0x20 || char === '"' || char === '\\' || (!isPair && (unit & 0xf800) === 0xd800);
    if (!must && !dice.chance(escapes)) {
      out += isPair ? char + text[++i]! : char;
      continue;
    }
    const short = SHORT_ESCAPES[char];
    out += short !== undefined && dice.chance(0.6) ? short : unicodeEscape(dice, unit);
    if (isPair) out += unicodeEscape(dice, text.charCodeAt(++i));
  }
  return out;
}

function unicodeEscape(dice: Dice, unit: number): string {
  const hex = unit.toString(16).padStart(4, '0');
  return `\\u${dice.chance(0.5) ? hex : hex.toUpperCase()}`;
}
