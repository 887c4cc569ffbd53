import type { Dice } from './dice.js';
import { oddText, spell } from './text-maker.js';

/** Bytes that no fair producer writes, made from a fair document or from nothing. */

export function hostileDocument(dice: Dice, fair: string): Uint8Array | null {
  return dice.weighted<() => Uint8Array | null>([
    [8, () => mutated(dice, Buffer.from(fair))],
    [2, () => Buffer.from(dice.pick(NOT_OBJECTS))],
    [2, () => nested(dice, fair)],
    [2, () => invalidUtf8(dice, fair)],
    [1, () => Buffer.from(`\ufeff${fair}`)],
    [
      1,
      () =>
        Buffer.from(
          fair +
            dice.pick([' ', '\n\n', '\u0000', ',', '}', ']', '{}', fair, 'x', '\ufeff', '\u00a0', '//', '1']),
        ),
    ],
    [1, () => Buffer.from(dice.pick([' ', '\u0000', '[', '{', ',', '\ufeff\ufeff', '\r\n\t ']) + fair)],
    [1, () => Buffer.from(fair.slice(0, dice.below(fair.length + 1)))],
    [1, () => Buffer.from(fair, dice.pick(['utf16le', 'latin1', 'base64']))],
    [
      1,
      () => Buffer.from(withMembers(fair, `${spell(dice, oddText(dice), 0.3)}:${'['.repeat(dice.below(4))}`)),
    ],
    [1, () => Buffer.from(withMembers(fair, manyMembers(dice)))],
    [1, () => dice.bytes(dice.below(40))],
    [1, () => null],
    [1, () => new Uint8Array(0)],
  ])();
}

const NOT_OBJECTS = [
  'null',
  'true',
  '1',
  '-1.5e3',
  '"text"',
  '[]',
  '[{}]',
  '{}',
  '',
  ' ',
  '{',
  '}',
  '[',
  '{"',
  '{"a',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '{,}',
  '{"a" 1}',
  '{"a"::1}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{"a":1 "b":2}',
  '{"a":1,,"b":2}',
  '{"a":}',
  '{:1}',
  '{"a":1}}',
  '{"a":[1,]}',
  '{"a":[,1]}',
  '{"a":[1 2]}',
  '{"a":[1}',
  '{"a":{]}',
  '{"a":/*x*/1}',
  '{"a":1}//x',
  '{"a":tru}',
  '{"a":truee}',
  '{"a":nul}',
  '{"a":"\u0001"}',
  '{"a":"\u001f"}',
  '{"a":"\n"}',
  '{"a":"\\"}',
  '{"a":"\\q"}',
  '{"a":"\\u"}',
  '{"a":"\\u00"}',
  '{"a":"\\u00gg"}',
  '{"a":"\\U0041"}',
  '{"a\u0000":1}',
  '\u0000{}',
  '{}\u0000',
  '{"__proto__":{}}',
  '{"__proto__":null,"__proto__":1}',
  '{"a":1,"a":}',
  '{"\\ud800":1}',
];

/** A few edits, of single bytes or whole pieces. */
function mutated(dice: Dice, fair: Uint8Array): Uint8Array {
  let bytes: Buffer = Buffer.from(fair);
  for (
    let edits = dice.weighted([
      [6, 1],
      [2, 2],
      [1, 5],
    ]);
    edits > 0 && bytes.length > 0;
    edits--
  ) {
    const at = dice.below(bytes.length);
    const length = Math.min(bytes.length - at, dice.pick([1, 1, 2, 4, 16]));
    const before = bytes.subarray(0, at);
    const behind = bytes.subarray(at + length);
    const piece = dice.pick(PIECES);
    bytes = dice.weighted<() => Buffer>([
      [
        3,
        () => Buffer.concat([before, Buffer.of(bytes[at]! ^ (1 << dice.below(8))), bytes.subarray(at + 1)]),
      ],
      [2, () => Buffer.concat([before, behind])],
      [3, () => Buffer.concat([before, Buffer.from(piece), bytes.subarray(at)])],
      [3, () => Buffer.concat([before, Buffer.from(piece), behind])],
      [1, () => Buffer.concat([before, bytes.subarray(at, at + length), bytes.subarray(at)])],
      [1, () => Buffer.concat([before, Buffer.of(dice.below(256)), bytes.subarray(at + 1)])],
      [1, () => Buffer.concat([before, bytes.subarray(dice.below(bytes.length)), behind])],
    ])();
  }
  return bytes;
}

const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  ' ',
  '\n',
  '0',
  '-',
  '.',
  'e',
  'E+',
  'null',
  'true',
  '""',
  '{}',
  '[]',
  '\\u0000',
  '\\"',
  '\\ud800',
  '\u0000',
  '\u001f',
  '\u007f',
  '9',
  '00',
  '1e999',
  ',"a":1',
  '"a":1,',
  '\u00e9',
  '\u2028',
  '😀',
  '\\\\',
  '/',
  '\t',
  '\r',
];

const BAD_UTF8 = [
  [0x80],
  [0xbf],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc3],
  [0xc3, 0x28],
  [0xe0, 0x80, 0x80],
  [0xe0, 0x9f, 0xbf],
  [0xe2, 0x82],
  [0xe2, 0x28, 0xa1],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf0, 0x9f, 0x98],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xfe],
  [0xff],
  [0xef, 0xbf],
  [0xf0, 0x9f, 0x22, 0x80],
  [0xe2, 0x82, 0x22],
  // right ones, too
  [0xc2, 0x80],
  [0xdf, 0xbf],
  [0xe0, 0xa0, 0x80],
  [0xed, 0x9f, 0xbf],
  [0xee, 0x80, 0x80],
  [0xef, 0xbf, 0xbf],
  [0xf0, 0x90, 0x80, 0x80],
  [0xf4, 0x8f, 0xbf, 0xbf],
];

/** Inside a string, mostly: right behind a quote, or somewhere. */
function invalidUtf8(dice: Dice, fair: string): Uint8Array {
  const bytes = Buffer.from(fair);
  const quotes = [...bytes.keys()].filter((at) => bytes[at] === 0x22);
  const at =
    quotes.length > 0 && dice.chance(0.8) ? dice.pick(quotes) + dice.below(2) : dice.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(dice.pick(BAD_UTF8)), bytes.subarray(at)]);
}

/** Around what parsers take for too deep. */
function nested(dice: Dice, fair: string): Uint8Array {
  const depth = dice.pick([
    3, 31, 63, 64, 65, 127, 255, 256, 499, 500, 501, 502, 511, 512, 513, 600, 1_000, 5_000, 100_000,
  ]);
  const [open, close] = dice.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":[', ']}]'],
  ] as const);
  const inner = dice.pick(['1', 'null', '"x"', '{}', '']);
  const closed = dice.chance(0.8) ? close.repeat(depth) : close.repeat(depth - 1);
  return Buffer.from(withMembers(fair, `"deep":${open.repeat(depth)}${inner}${closed}`));
}

function manyMembers(dice: Dice): string {
  const name = dice.pick(['a', 'k', 'field_with_a_long_name_', '__proto__']);
  return Array.from(
    { length: dice.pick([20, 300, 3_000]) },
    (_, i) => `"${name}${dice.chance(0.1) ? '' : i}":${i}`,
  ).join();
}

/** The document with members in front of its own, or behind them. */
function withMembers(fair: string, members: string): string {
  const brace = fair.indexOf('{');
  const isEmpty = /^\s*\{\s*\}/.test(fair);
  return `${fair.slice(0, brace + 1)}${members}${isEmpty ? '' : ','}${fair.slice(brace + 1)}`;
}
