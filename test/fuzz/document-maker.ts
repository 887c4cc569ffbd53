/// <reference lib="es2024.string" />
import type { CompiledModel, Condition, Field } from '#src/model/types.js';
import type { Dice } from './dice.js';
import { makeGap } from './gap-maker.js';
import { makeIp } from './ip-maker.js';
import { notNumber, oddNumber, oddUint32, plainInt32, plainNumber, plainUint32 } from './number-maker.js';
import { longText, oddText, plainText, spell } from './text-maker.js';
import { oddTime, plainTime, wildTime } from './time-maker.js';

/** What a document says of its event; all else in it is chosen freely. */
export interface Intent {
  key: string;
  timeMs: number;
  isEnd: boolean;
}

/** How the documents of a case are. Probabilities, of a value or a member each. */
export interface Manner {
  /** A value of its type, but one that is rarely seen. */
  odd: number;
  /** A value of another type, or none at all. */
  wrong: number;
  /** An optional field left out, or null. */
  missing: number;
  /** A character that need not be escaped is. */
  escapes: number;
  /** A member that comes twice, or a stranger between the members. */
  strangers: number;
  /** White space that no producer writes. */
  spaces: number;
  /** How many orders of keys the producers write. Infinity: each document its own. */
  shapes: number;
}

/** The texts that a condition compares with. */
function textsOf(condition: Condition | null): readonly string[] {
  if (condition === null) return [];
  if ('all' in condition) return condition.all.flatMap(textsOf);
  if ('any' in condition) return condition.any.flatMap(textsOf);
  if ('oneOf' in condition) return condition.oneOf;
  return 'noneOf' in condition ? condition.noneOf : [];
}

/** Writes the documents of one lane: few values that repeat, in few shapes, as producers do. */
export class DocumentMaker {
  readonly #dice: Dice;
  readonly #model: CompiledModel;
  readonly #manner: Manner;
  /** Those that are read from a document. */
  readonly #fields: readonly Field[];
  readonly #palette: readonly string[];
  readonly #shapes: readonly Shape[];

  constructor(dice: Dice, model: CompiledModel, manner: Manner) {
    this.#dice = dice;
    this.#model = model;
    this.#manner = manner;
    this.#fields = model.fields.filter(({ made }) => made === undefined);
    const conditions = model.columns.flatMap(({ op }) => ('where' in op ? textsOf(op.where) : []));
    this.#palette = [
      ...Array.from({ length: dice.between(2, 6) }, () => plainText(dice)),
      ...(manner.odd > 0 ? [oddText(dice), oddText(dice)] : []),
      ...conditions,
    ];
    this.#shapes = Array.from({ length: Math.min(manner.shapes, 8) }, () => makeShape(dice));
  }

  /** JSON, unless wrong values or strangers make it none. */
  make(intent: Intent): string {
    const shape =
      this.#manner.shapes === Number.POSITIVE_INFINITY
        ? makeShape(this.#dice)
        : this.#dice.pick(this.#shapes);
    const text = this.#object(this.#fields, 0, intent, shape);
    return this.#space('') + text + this.#space('');
  }

  /** The object at a depth that these fields lead through. */
  #object(fields: readonly Field[], depth: number, intent: Intent, shape: Shape): string {
    const dice = this.#dice;
    const { missing, strangers } = this.#manner;
    const names = shape.order([...new Set(fields.map((field) => field.path[depth]!))]);
    const members: string[] = [];
    for (const name of names) {
      const through = fields.filter((field) => field.path[depth] === name);
      const required = through.some((field) => field.required);
      if (!required && dice.chance(missing)) {
        if (dice.chance(0.3)) members.push(this.#member(name, 'null', shape));
        continue;
      }
      if (dice.chance(strangers)) members.push(this.#stranger(fields, depth, shape));
      const value = () => this.#value(through, depth, intent, shape);
      // the last of two counts
      if (dice.chance(strangers / 20))
        members.push(this.#member(name, dice.pick([value(), 'null', '1', '{}']), shape));
      members.push(this.#member(name, value(), shape));
    }
    for (const extra of shape.extras) if (depth === 0) members.push(this.#member(extra, '"plain"', shape));
    if (dice.chance(strangers)) members.push(this.#stranger(fields, depth, shape));
    const [open, comma, close] = SEPARATORS[shape.pretty]!;
    if (members.length === 0) return `{${this.#space('')}}`;
    return `{${open}${members.join(this.#space('') + comma + this.#space(''))}${close}}`;
  }

  #value(through: readonly Field[], depth: number, intent: Intent, shape: Shape): string {
    const dice = this.#dice;
    if (dice.chance(this.#manner.wrong / 2)) return this.#wrong();
    const field = through.find((each) => each.path.length === depth + 1);
    if (field === undefined) return this.#object(through, depth + 1, intent, shape);
    return this.#fieldValue(field, intent);
  }

  #fieldValue(field: Field, intent: Intent): string {
    const dice = this.#dice;
    const { odd, wrong, escapes } = this.#manner;
    const { keyParts, timeField, timeFormat } = this.#model;
    const [keyField] = keyParts;
    if (dice.chance(wrong)) return this.#wrong();
    if (field.index === timeField) {
      if (dice.chance(odd / 50)) return wildTime(dice, timeFormat);
      return dice.chance(odd)
        ? oddTime(dice, intent.timeMs, timeFormat)
        : plainTime(dice, intent.timeMs, timeFormat);
    }
    if (field.index === this.#model.gapField?.field && dice.chance(0.9))
      return makeGap(dice, field, this.#model);
    if (field.index === keyField && field.type === 'string') return spell(dice, intent.key, escapes);
    if (field.type === 'number') return dice.chance(odd) ? oddNumber(dice) : plainNumber(dice);
    if (field.type === 'boolean') return dice.pick(['true', 'true', 'false']);
    if (field.type === 'int32') return dice.chance(odd / 4) ? oddUint32(dice) : plainInt32(dice);
    if (field.type === 'uint32') {
      // mostly refused, and a refused event tells little
      return dice.chance(odd / 4) ? oddUint32(dice) : plainUint32(dice);
    }
    return spell(dice, this.#text(field, intent), escapes);
  }

  #text(field: Field, intent: Intent): string {
    const dice = this.#dice;
    const { odd } = this.#manner;
    const { endEvent } = this.#model;
    if (endEvent !== null && 'oneOf' in endEvent && field.index === endEvent.field) {
      if (intent.isEnd) return dice.pick(endEvent.oneOf);
      const other = dice.pick(this.#palette);
      return endEvent.oneOf.includes(other) ? `${other}!` : other;
    }
    if (field.mask === 'truncate_ip' && dice.chance(0.8)) return makeIp(dice);
    if (dice.chance(odd)) return dice.chance(0.002) ? longText(dice) : oddText(dice);
    return dice.chance(0.8) ? dice.pick(this.#palette) : plainText(dice);
  }

  #member(name: string, value: string, shape: Shape): string {
    const colon = shape.pretty === 0 ? ':' : ': ';
    return (
      spell(this.#dice, name, this.#dice.chance(0.01) ? this.#manner.escapes : 0) +
      this.#space('') +
      colon +
      this.#space('') +
      value
    );
  }

  /** A member that nobody selected, at its place or at another's. */
  #stranger(fields: readonly Field[], depth: number, shape: Shape): string {
    const dice = this.#dice;
    const selected = dice.pick(fields).path;
    const near = dice.pick(selected);
    const name = dice.pick([
      near,
      near.slice(0, -1),
      `${near}x`,
      near.toUpperCase(),
      ` ${near}`,
      near.slice(1),
      selected.join('.'),
      '__proto__',
      'constructor',
      '',
      'x'.repeat(dice.between(1, 40)),
      near.slice(0, 8),
      `${near}\u0000`,
      oddText(dice),
    ]);
    // at its own place it would count
    const counts = fields.some((field) => field.path[depth] === name);
    const value = counts && !dice.chance(0.1) ? null : this.anything(dice.below(4));
    return this.#member(counts && value === null ? `${name}_` : name, value ?? 'null', shape);
  }

  /** Any JSON value. */
  anything(depth: number): string {
    const dice = this.#dice;
    const many = (one: () => string) =>
      Array.from({ length: dice.below(4) }, one).join(dice.pick([',', ', ', ' ,\n']));
    if (depth > 0 && dice.chance(0.6)) {
      if (dice.chance(0.5)) return `[${many(() => this.anything(depth - 1))}]`;
      const name = () =>
        spell(
          dice,
          dice.pick(['a', 'b', '__proto__', ...this.#fields.map((field) => field.path.at(-1)!)]),
          0,
        );
      return `{${many(() => `${name()}:${this.anything(depth - 1)}`)}}`;
    }
    return dice.pick([
      'true',
      'false',
      'null',
      oddNumber(dice),
      '{}',
      '[]',
      '""',
      spell(dice, oddText(dice), 0.2),
      spell(dice, plainText(dice), 0),
    ]);
  }

  #wrong(): string {
    const dice = this.#dice;
    return dice.weighted([
      [2, 'null'],
      [1, 'true'],
      [1, 'false'],
      [1, '[]'],
      [1, '{}'],
      [1, '""'],
      [1, '"1"'],
      [1, oddNumber(dice)],
      [1, spell(dice, oddText(dice), 0.1)],
      [1, this.anything(2)],
      [1, notNumber(dice)],
      [
        0.3,
        dice.pick([
          'nul',
          'tru',
          'fals',
          'True',
          'nulll',
          "'a'",
          '"a',
          'a"',
          '"\t"',
          '"\\x"',
          '"\\u12"',
          '"\\u12g4"',
          '',
          'undefined',
          '"\\',
          '"\\ud83d\\u"',
        ]),
      ],
    ]);
  }

  #space(otherwise: string): string {
    const dice = this.#dice;
    if (!dice.chance(this.#manner.spaces)) return otherwise;
    return dice.weighted([
      [6, ' '],
      [2, '\n'],
      [2, '\t'],
      [2, '\r\n'],
      [2, ' '.repeat(dice.between(2, 70))],
      [0.2, dice.pick(['\u00a0', '\f', '\v', '\ufeff', '\u2028', '\u0000'])],
    ]);
  }
}

/** One producer's way to write. */
interface Shape {
  order(names: readonly string[]): readonly string[];
  /** 0 compact, 1 spaces, 2 lines. */
  pretty: number;
  extras: readonly string[];
}

const SEPARATORS: readonly (readonly [string, string, string])[] = [
  ['', ',', ''],
  ['', ', ', ''],
  ['\n  ', ',\n  ', '\n'],
];

function makeShape(dice: Dice): Shape {
  const rank = new Map<string, number>();
  const rankOf = (name: string) => {
    if (!rank.has(name)) rank.set(name, dice.float());
    return rank.get(name)!;
  };
  return {
    order: (names) => names.toSorted((a, b) => rankOf(a) - rankOf(b)),
    pretty: dice.weighted([
      [6, 0],
      [2, 1],
      [2, 2],
    ]),
    extras: dice.some(['event_id', 'producer_version_of_the_library', 'x', 'users'], dice.below(3)),
  };
}
