import type { Dice } from './dice.js';
import { oddText, PLAIN_TEXTS } from './text-maker.js';

/**
 * Model files, as JSON (which is YAML). Names of fields are chosen to be mistaken for each other: same beginnings, widths
 * around those of vectors, what objects inherit, letters of two, three and four bytes, what JSON must escape.
 */

const PLAIN_NAMES = [
  'type',
  'page',
  'price',
  'n',
  'url',
  'user_agent',
  'session_a',
  'session_b',
  'sessions',
  'page_url_of_refe',
  'page_url_of_refer',
];
const ODD_NAMES = [
  'constructor',
  'toString',
  'hasOwnProperty',
  'ключ',
  '日本',
  '😀',
  'with space',
  ' ',
  '\ufeff',
  'é',
  'e\u0301',
  '/',
  'a'.repeat(31),
  'a'.repeat(32),
  'a'.repeat(33),
  'k'.repeat(127),
  'k'.repeat(128),
  'Type',
  'type ',
  'typ',
  '0',
  '-1',
  'null',
  '$',
  '\u007f',
  '{',
  '}',
  ':',
  ',',
];
const NESTED_NAMES = [
  'geo.country',
  'geo.city',
  'geo.pos.lat',
  'geo.pos.lon',
  'device.type',
  'device.os',
  'meta.type',
  'meta.meta.meta',
  'a.b.c.d.e.f.g.h',
  'a.b.c.x',
];
const ODD_NESTED_NAMES = [
  'meta.__proto__',
  '__proto__.type',
  'meta.constructor.name',
  'é.é',
  'geo.geo.country',
  'x .y',
  'a.type',
  'a.b.type',
];

/** JSON must escape them: no kernel looks for such a key, and each document is undecided. */
const ESCAPED_NAMES = ['quote"d', 'back\\slash', 'tab\t', '\u0001', '\\u0061', '"."'];

const MEMBER_NAMES = [
  't',
  'type',
  'url',
  'n',
  'T',
  'toString',
  'constructor',
  'toJSON',
  `a${'_'.repeat(62)}z`,
];

/** With clocks that are put forward over midnight, a quarter of an hour beside the others, a day that was left out. */
const ZONES = ['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kathmandu', 'Pacific/Apia', 'Africa/Cairo'];

interface FieldLine {
  type: 'string' | 'number' | 'uint32' | 'time';
  required: boolean;
}

export function makeModelText(dice: Dice, options: { odd: boolean }): string {
  const fields = makeFields(dice, options.odd);
  const names = Object.keys(fields);
  const key = names.find((name) => fields[name]!.required && fields[name]!.type === 'string')!;
  const time = names.find((name) => fields[name]!.type === 'time')!;
  const texts = names.filter((name) => fields[name]!.type === 'string');
  const format = dice.pick(['iso8601', 'iso8601', 'epoch_ms', 'epoch_s']);
  const condition = () => ({ field: dice.pick(texts), in: someTexts(dice, options.odd) });
  return JSON.stringify({
    name: 'fuzz',
    key,
    time: { field: time, format },
    fields: Object.fromEntries(dice.shuffled(Object.entries(fields))),
    ...makeTimes(dice),
    ...makeWindows(dice, condition, names),
    columns: makeColumns(
      dice,
      names,
      texts,
      names.filter((name) => fields[name]!.type !== 'number'),
      condition,
    ),
  });
}

function makeFields(dice: Dice, odd: boolean): Record<string, FieldLine> {
  const all = [...PLAIN_NAMES, ...NESTED_NAMES, ...(odd ? [...ODD_NAMES, ...ODD_NESTED_NAMES] : [])];
  if (odd && dice.chance(0.1)) all.push(...ESCAPED_NAMES);
  const many = dice.chance(0.1);
  const key = dice.pick(odd ? ['user', 'user', 'who.id', 'ü', 'constructor'] : ['user', 'user_id', 'who.id']);
  const time = dice.pick(odd ? ['at', 'when.at', 'time of day'] : ['at', 'timestamp', 'when.at']);
  const names = new Set([key, time]);
  for (const name of dice.some(all, many ? 40 : dice.between(0, 9))) {
    const clashes = [...names].some((other) => other.startsWith(`${name}.`) || name.startsWith(`${other}.`));
    if (!clashes) names.add(name);
  }
  const lines: [string, FieldLine][] = [...names].map((name) => {
    if (name === key) return [name, { type: 'string', required: true }];
    if (name === time) return [name, { type: 'time', required: true }];
    const type = dice.weighted([
      [6, 'string'],
      [2, 'number'],
      [2, 'uint32'],
    ] as const);
    return [name, { type, required: dice.chance(0.1) }];
  });
  return Object.fromEntries(lines);
}

function makeTimes(dice: Dice): Record<string, string> {
  const gap = dice.pick([
    1,
    2,
    10,
    999,
    1_000,
    30_000,
    30_000,
    1_800_000,
    1_800_000,
    86_400_000,
    366 * 86_400_000,
  ]);
  const around = () =>
    Math.min(
      366 * 86_400_000,
      dice.pick([0, 0, 1, Math.floor(gap / 2), gap - 1, gap, gap + 1, gap * 3, 10_000, 300_000]),
    );
  const future = dice.weighted([
    [6, 366 * 86_400_000],
    [2, around()],
    [1, 0],
    [1, 3_600_000],
  ]);
  const longest = dice.pick([gap, gap, gap + 1, Math.floor(gap / 2), gap * 3, gap * 20, 86_400_000]);
  return {
    gap: `${gap}ms`,
    ...(dice.chance(0.5) ? { max_duration: `${Math.min(366 * 86_400_000, Math.max(1, longest))}ms` } : {}),
    allowed_disorder: `${around()}ms`,
    allowed_lateness: `${around()}ms`,
    max_future: `${future}ms`,
  };
}

/** What begins and ends sessions beside the gap; half of the models know nothing but end events. */
function makeWindows(dice: Dice, condition: () => object, names: readonly string[]): object {
  const rich = dice.chance(0.5);
  const end = dice.chance(0.6) ? condition() : null;
  const split = {
    ...(dice.chance(0.4) ? { midnight: dice.pick(ZONES) } : {}),
    ...(dice.chance(0.4) ? { on_change: dice.some(names, dice.between(1, 2)) } : {}),
  };
  return {
    ...(end === null ? {} : { end_event: rich && dice.chance(0.4) ? { ...end, counted: true } : end }),
    ...(rich && dice.chance(0.4) ? { start_event: condition() } : {}),
    ...(rich && Object.keys(split).length > 0 ? { split } : {}),
  };
}

function makeColumns(
  dice: Dice,
  names: readonly string[],
  texts: readonly string[],
  recordable: readonly string[],
  condition: () => object,
): Record<string, object> {
  const countType = () => (dice.chance(0.5) ? {} : { type: dice.pick(['uint16', 'uint32', 'uint64']) });
  const limit = () =>
    dice.weighted([
      [2, 1],
      [2, 2],
      [2, 3],
      [2, dice.between(1, 30)],
      [1, 100_000],
    ]);
  const anything = (): object => {
    const op = dice.pick([
      'first',
      'last',
      'first',
      'last',
      'count_distinct',
      'count_values',
      'list',
      'list',
      'set',
      'records',
      'count_if',
      'count',
      'duration_sec',
      'session_end',
      'key',
    ] as const);
    switch (op) {
      case 'first':
      case 'last':
        return { op, field: dice.pick(names) };
      case 'count_distinct':
      case 'count_values':
        return { op, field: dice.pick(names), ...countType() };
      case 'list':
        return { op, field: dice.pick(texts), limit: limit(), ...makeChoice(dice, texts, condition) };
      case 'set':
        return { op, field: dice.pick(texts), limit: limit(), ...(dice.chance(0.5) ? { as: 'json' } : {}) };
      case 'records':
        return { op, of: makeMembers(dice, recordable), limit: limit(), ...makePresent(dice, names) };
      case 'count_if':
        return { op, ...condition(), ...countType() };
      case 'count':
      case 'duration_sec':
        return { op, ...countType() };
      default:
        return { op };
    }
  };
  const shared: [string, object][] = [
    ['session_id', { op: 'session_id', template: makeTemplate(dice) }],
    ...(['session_start', 'created_at', 'batch_id', 'file_id', 'closed_by', 'revision', 'sign'] as const).map(
      (op): [string, object] => [op, { op }],
    ),
  ];
  const own = Array.from(
    {
      length: dice.weighted([
        [1, 0],
        [6, dice.between(1, 12)],
        [1, 40],
      ]),
    },
    (_, i): [string, object] => [`c${i}`, anything()],
  );
  return Object.fromEntries(dice.shuffled([...shared, ...own]));
}

/** Which events a list is of, and how it is written. */
function makeChoice(dice: Dice, texts: readonly string[], condition: () => object): object {
  const by = dice.chance(0.4) ? { by: dice.pick(texts) } : {};
  const as = 'by' in by || dice.chance(0.3) ? { as: 'json' } : {};
  return { ...by, ...as, ...(dice.chance(0.4) ? { where: condition() } : {}) };
}

/** The same field may be there twice. */
function makeMembers(dice: Dice, names: readonly string[]): object {
  const members = dice.some(MEMBER_NAMES, dice.between(1, 4));
  return Object.fromEntries(members.map((member) => [member, dice.pick(names)]));
}

function makePresent(dice: Dice, names: readonly string[]): object {
  return dice.chance(0.5) ? { present: dice.pick(names) } : {};
}

function makeTemplate(dice: Dice): string {
  return dice.pick([
    '{key}:{start_ms}',
    '{key}:{start_ms}',
    '{key}',
    '{start_ms}{key}',
    '{key}{key}{start_ms}{start_ms}',
    'é"\\ {key}/{start_ms} 😀',
    `${'long '.repeat(40)}{key}`,
  ]);
}

function someTexts(dice: Dice, odd: boolean): string[] {
  const one = () =>
    (odd && dice.chance(0.3) ? oddText(dice).toWellFormed() : dice.pick(PLAIN_TEXTS)).slice(0, 300) || 'x';
  return Array.from({ length: dice.between(1, 4) }, one);
}
