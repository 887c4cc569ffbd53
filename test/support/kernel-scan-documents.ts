import type { CompiledModel, Field } from '#src/model/types.js';
import type { Random } from '#src/random.js';

/**
 * Documents for the scan: those of a producer, who always writes alike, odd ones, and both with broken bytes. Written as
 * text, since it is the spelling that matters.
 */

export interface ScanDocument {
  bytes: Buffer;
  /** As a producer writes: the kernel has to decide it. */
  ordinary: boolean;
}

type Tree = Map<string, Field | Tree>;
type Spelling = { space: () => string; name: (key: string) => string };

/** Writes events of one model in one way. */
export class Producer {
  readonly #random: Random;
  readonly #tree: Tree;
  readonly #format: CompiledModel['timeFormat'];
  readonly #order = new Map<string, number>();
  readonly #spaces: readonly string[];
  readonly #ignored: readonly string[];
  /** A producer who orders keys anew each time. */
  readonly #shuffles: boolean;

  constructor(model: CompiledModel, random: Random) {
    this.#random = random;
    this.#tree = treeOf(model.fields);
    this.#format = model.timeFormat;
    this.#shuffles = random.below(4) === 0;
    this.#spaces = pick(random, [[''], [''], ['', ' '], ['\n  '], ['', ' ', '\t', '\r\n', ' '.repeat(40)]]);
    this.#ignored = Array.from({ length: random.below(4) }, (_, index) => `extra_${'x'.repeat(index * 20)}`);
  }

  ordinary(): Buffer {
    const spelling = { space: () => pick(this.#random, this.#spaces), name: quoted };
    return Buffer.from(this.#object(this.#tree, '', spelling, (field) => this.#plain(field)));
  }

  /** Valid or not, mostly JSON, with what makes a parser stumble. */
  odd(): Buffer {
    const random = this.#random;
    const spelling = {
      space: () => pick(random, this.#spaces),
      name: (key: string) => (random.below(30) === 0 ? escapedName(key, random) : quoted(key)),
    };
    const value = (field: Field) => {
      const chance = random.below(10);
      if (chance < 6) return this.#plain(field);
      return chance < 9 ? oddValue(field, random) : anyValue(random, 3);
    };
    const text = this.#object(this.#tree, '', spelling, value, 12);
    return Buffer.from(random.below(20) === 0 ? `${text}${anyValue(random, 1)}` : text);
  }

  #object(
    tree: Tree,
    path: string,
    spelling: Spelling,
    spell: (field: Field) => string,
    oddness = 0,
  ): string {
    const random = this.#random;
    const members: [string, string][] = [];
    for (const [key, below] of tree) {
      const isField = !(below instanceof Map);
      const required = isField ? below.required : [...fieldsOf(below)].some((field) => field.required);
      if (!required && random.below(8) === 0) {
        if (random.below(2) === 0) members.push([key, 'null']);
        continue;
      }
      const value = () =>
        isField ? spell(below) : this.#object(below, `${path}.${key}`, spelling, spell, oddness);
      members.push([key, random.below(100) < oddness ? anyValue(random, 4) : value()]);
      if (random.below(300) < oddness) members.push([key, random.below(3) === 0 ? 'null' : value()]);
    }
    for (const key of this.#ignored) members.push([key, anyValue(random, 3)]);
    if (random.below(100) < oddness) members.push([oddKey(random), anyValue(random, 3)]);
    const rank = (key: string) => this.#rank(`${path}.${key}`);
    members.sort(([a], [b]) => rank(a) - rank(b));
    const { space, name } = spelling;
    const written = members.map(
      ([key, value]) => `${space()}${name(key)}${space()}:${space()}${value}${space()}`,
    );
    return `${path === '' ? space() : ''}{${written.join(',')}${space()}}${path === '' ? space() : ''}`;
  }

  #rank(path: string): number {
    if (this.#shuffles) return this.#random.float();
    if (!this.#order.has(path)) this.#order.set(path, this.#random.float());
    return this.#order.get(path)!;
  }

  #plain(field: Field): string {
    const random = this.#random;
    switch (field.type) {
      case 'string':
        return plainString(random);
      case 'number':
        return pick(random, ['0', '52.52', '-13.405', String(random.float() * 180 - 90), '7', '1e3', '-0.0']);
      case 'uint32':
        return pick(random, ['0', '4294967295', '12', '5.0', '1e3', '-0', String(random.below(2 ** 32))]);
      case 'boolean':
        return pick(random, ['true', 'false']);
      case 'int32':
        return pick(random, [
          '-2147483648',
          '2147483647',
          '-12',
          '-0',
          '-1e3',
          '7',
          String(random.below(2 ** 31)),
        ]);
      case 'time':
        return plainTime(this.#format, random);
    }
  }
}

/** The document with some bytes changed. */
export function broken(document: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(document);
  const times = 1 + random.below(3);
  for (let i = 0; i < times && bytes.length > 0; i++) {
    const at = random.below(bytes.length);
    const until = Math.min(bytes.length, at + 1 + random.below(12));
    const part = bytes.subarray(at, until);
    switch (random.below(7)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at] = pick(random, INTERESTING);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, until), part, bytes.subarray(until)]);
        break;
      case 4:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([pick(random, INTERESTING)]),
          bytes.subarray(at),
        ]);
        break;
      case 5:
        bytes = bytes.subarray(0, random.below(4) === 0 ? at : bytes.length - 1);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), pick(random, PIECES), bytes.subarray(at)]);
    }
  }
  return bytes;
}

const INTERESTING = [
  ...Buffer.from('"\\{}[]:, \n\t0129.-+eEntfu/'),
  0,
  0x1f,
  0x7f,
  0x80,
  0xc0,
  0xe2,
  0xed,
  0xff,
];
const PIECES = [
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf0, 0x9f, 0x98, 0x80],
  [0xe0, 0x9f, 0xbf],
  [0xef, 0xbb, 0xbf],
  [...Buffer.from('\\ud800')],
  [...Buffer.from('\\u00e9')],
  [...Buffer.from('\\"')],
  [...Buffer.from('","')],
  [...Buffer.from('":')],
  [...Buffer.from('null')],
].map((piece) => Buffer.from(piece));

const TEXTS = [
  '',
  'x',
  '/products/4711',
  'https://shop.example/search?q=a&b=c',
  'Zürich',
  '東京都千代田区',
  '😀',
  'Москва, Тверская улица',
  'a'.repeat(15),
  'b'.repeat(16),
  'c'.repeat(47),
  'd'.repeat(48),
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36',
  `${'e'.repeat(15)}é`,
  `${'f'.repeat(31)}😀${'g'.repeat(17)}`,
];

const ESCAPED = [
  String.raw`a\"b`,
  String.raw`\\`,
  String.raw`\u0041\u00e9\u20ac`,
  String.raw`\ud83d\ude00`,
  String.raw`x\ud83dy`,
  String.raw`\ude00\ud83d`,
  String.raw`\ud83d\ud83d\ude00\u0020`,
  String.raw`\ud83d\u0041`,
  String.raw`\b\f\n\r\t\/`,
  String.raw`\u0000\u001f\u007f\uFFFF\uDbFf\uDfFf`,
  `${'h'.repeat(40)}${String.raw`\u00fc`}${'i'.repeat(40)}é`,
];

function plainString(random: Random): string {
  if (random.below(6) === 0) return `"${pick(random, ESCAPED)}"`;
  if (random.below(3) === 0) return `"${'z'.repeat(random.below(70))}"`;
  return `"${pick(random, TEXTS)}"`;
}

function plainTime(format: CompiledModel['timeFormat'], random: Random): string {
  const ms = random.below(2) === 0 ? 1_767_225_600_000 + random.below(1e9) : random.below(9_246_182_400_000);
  if (format === 'epoch_ms') return pick(random, [String(ms), `${ms}.0`, `${ms}.999`, '0', '1.7e12']);
  if (format === 'epoch_s') return pick(random, [`${ms / 1e3}`, `${Math.floor(ms / 1e3)}`, `${ms / 1e3}1`]);
  const iso = new Date(ms).toISOString();
  const zone = pick(random, ['Z', '', '+05:30', '-00:00', '+00:00']);
  const fraction = pick(random, ['', '.1', '.12', '.123', '.123456', '.123456789']);
  return pick(random, [
    `"${iso}"`,
    `"${iso}"`,
    `"${(ms < 1e9 ? '2026-01-01T00:00:00' : iso.slice(0, 19)) + fraction + zone}"`,
  ]);
}

const TIMES = [
  '2026-02-29T00:00:00Z',
  '2024-02-29T23:59:59.999Z',
  '2100-02-29T00:00:00Z',
  '2000-02-29T00:00:00Z',
  '1969-12-31T23:30:00-01:00',
  '1969-12-31T23:30:00Z',
  '1968-12-31T23:30:00Z',
  '1970-01-01T00:00:00+00:01',
  '2262-12-31T23:59:59.999Z',
  '2263-01-01T00:00:00Z',
  '2263-01-01T00:00:00+00:01',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:60:00Z',
  '2026-01-01T23:59:60Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01t00:00:00z',
  '2026-01-01 00:00:00Z',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00.1234567890Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+23:60',
  '2026-01-01T00:00:00+0100',
  '2026-01-01T00:00:00.000000000+23:59',
  '2026-01-01T00:00:00.12',
  '2026-01-01T00:00:00.12aZ',
  '2026-01-01T00:00:00-',
  '2026-01-01',
  '+002026-01-01T00:00:00Z',
  '٢٠٢٦-01-01T00:00:00Z',
  '2026-01-01T00:00:00ZZ',
  '2026/01/01T00:00:00Z',
  '2026-01-01T00.00.00Z',
  String.raw`\u0032026-01-01T00:00:00Z`,
];

const NUMBERS = [
  '1e999',
  '-1e999',
  '1e-999',
  '-1e-999',
  '0e999999999999',
  '5e-324',
  '2.4703282292062327e-324',
  '2.4703282292062328e-324',
  '1.7976931348623157e308',
  '1.7976931348623159e308',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '9007199254740993.0',
  '123456789012345',
  '1234567890123456',
  '12345678901234567890',
  '0.1',
  '0.30000000000000004',
  '1234567.12345678',
  '12345678.12345678',
  '1.2345678901234567',
  '0.000000000000000000000000000000001',
  `1${'0'.repeat(400)}`,
  `0.${'0'.repeat(400)}1`,
  `${'9'.repeat(30)}e-20`,
  '1E5',
  '1e+5',
  '1.5e-5',
  '1e22',
  '1e23',
  '-0',
  '-0.0e0',
  '01',
  '-01',
  '00',
  '1.',
  '.5',
  '-',
  '+1',
  '1e',
  '1e+',
  '1.e5',
  '0x10',
  'NaN',
  'Infinity',
  '-Infinity',
  '1_000',
  '4294967295',
  '4294967296',
  '-1',
  '1.5',
  '4294967295.5',
  '1.7e12',
  '1700000000.123',
  '1700000000.1234567',
  '1700000000.0005',
  '0.0005',
  '-0.0004',
  '-0.0000004',
  '9246182399.999',
  '9246182399.9999999',
  '9246182400',
  '9246182399999',
  '9246182399999.9999',
  '9246182400000',
  '8640000000000001',
];

function oddValue(field: Field, random: Random): string {
  if (field.type === 'string') {
    const text =
      pick(random, [...TEXTS, ...ESCAPED]) +
      pick(random, [...ESCAPED, String.raw`\u12`, '\\x', '\u0001', '\u007f']);
    return `"${text}"`;
  }
  if (field.type === 'boolean')
    return pick(random, ['truex', 'fals', 'null', '"true"', '1', 'false', 'true']);
  if (field.type === 'time' && random.below(2) === 0) return `"${pick(random, TIMES)}"`;
  return pick(random, NUMBERS);
}

/** Any JSON, some of it not. */
function anyValue(random: Random, depth: number): string {
  const kind = random.below(depth === 0 ? 6 : 9);
  if (kind === 0) return pick(random, ['null', 'true', 'false']);
  if (kind === 1) return random.below(10) === 0 ? pick(random, NUMBERS) : '1.25e2';
  if (kind < 5) return plainString(random);
  if (kind === 5) return pick(random, ['0', '-7', '[]', '{}', '[ ]', '{ }', '12345678901234567890']);
  const count = random.below(4);
  const inner = Array.from({ length: count }, () => anyValue(random, depth - 1));
  if (kind === 6) return `[${inner.join(random.below(3) === 0 ? ' , ' : ',')}]`;
  return `{${inner.map((value) => `${quoted(oddKey(random))}:${value}`).join(',')}}`;
}

function oddKey(random: Random): string {
  return pick(random, [
    'a',
    '',
    '__proto__',
    'constructor',
    'toString',
    'u',
    't',
    'é',
    'x'.repeat(300),
    '😀'.repeat(9),
  ]);
}

function escapedName(key: string, random: Random): string {
  const at = random.below(key.length);
  const code = key.charCodeAt(at).toString(16).padStart(4, '0');
  return `"${key.slice(0, at)}\\u${code}${key.slice(at + 1)}"`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

function treeOf(fields: readonly Field[]): Tree {
  const root: Tree = new Map();
  for (const field of fields) {
    let tree = root;
    for (const key of field.path.slice(0, -1)) {
      if (!tree.has(key)) tree.set(key, new Map());
      tree = tree.get(key) as Tree;
    }
    tree.set(field.path.at(-1)!, field);
  }
  return root;
}

function* fieldsOf(tree: Tree): Generator<Field> {
  for (const below of tree.values()) {
    if (below instanceof Map) yield* fieldsOf(below);
    else yield below;
  }
}
