import { makeColumns } from './column-maker.js';
import { ConditionMaker } from './condition-maker.js';
import type { Dice } from './dice.js';

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

/** With clocks that are put forward over midnight, a quarter of an hour beside the others, a day that was left out. */
const ZONES = ['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kathmandu', 'Pacific/Apia', 'Africa/Cairo'];

/** From the checkout, where tests and the fuzzer are run. */
const SALT_FILE = 'test/fixtures/mask-salt.txt';

export interface FieldLine {
  type: 'string' | 'number' | 'boolean' | 'int32' | 'uint32' | 'time';
  required: boolean;
  mask?: 'truncate_ip' | 'hash';
}

export function makeModelText(dice: Dice, options: { odd: boolean }): string {
  const fields = makeFields(dice, options.odd);
  const names = Object.keys(fields);
  // the user's field, or another that a key may be: names of digits come first in an object
  const key = names.find((name) => {
    const { required, type, mask } = fields[name]!;
    return required && type === 'string' && mask !== 'truncate_ip';
  })!;
  const time = names.find((name) => fields[name]!.type === 'time')!;
  const format = dice.pick(['iso8601', 'iso8601', 'epoch_ms', 'epoch_s']);
  if (dice.chance(0.05)) fields[key]!.mask = 'hash';
  const hashes = Object.values(fields).some(({ mask }) => mask === 'hash');
  const telling = names.filter((name) => !['time', 'boolean'].includes(fields[name]!.type));
  const conditions = new ConditionMaker(dice, fields, options.odd);
  return JSON.stringify({
    name: 'fuzz',
    key: dice.chance(0.2) ? makeKey(dice, fields, key) : key,
    time: { field: time, format },
    fields: Object.fromEntries(dice.shuffled(Object.entries(fields))),
    ...makeTimes(dice),
    ...makeWindows(dice, conditions, names),
    ...(hashes ? { mask_salt_file: SALT_FILE } : {}),
    ...(dice.chance(0.15) ? { deduplicate: dice.pick(telling) } : {}),
    ...(dice.chance(0.25) ? { filter: conditions.any() } : {}),
    columns: makeColumns(dice, fields, conditions),
  });
}

/** Several fields that every event has, which makes of each of them one that it must have. */
function makeKey(dice: Dice, fields: Record<string, FieldLine>, key: string): string | string[] {
  const others = Object.entries(fields).filter(
    ([name, { type, mask }]) =>
      name !== key && (type === 'string' || type === 'uint32') && mask !== 'truncate_ip',
  );
  const chosen = dice.some(
    others.map(([name]) => name),
    2,
  );
  for (const name of chosen) fields[name]!.required = true;
  const [alone] = chosen;
  return alone !== undefined && dice.chance(0.3) ? alone : dice.shuffled([key, ...chosen]);
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
      [1, 'boolean'],
      [1, 'int32'],
      [2, 'uint32'],
    ] as const);
    const line = { type, required: dice.chance(0.1) };
    const masks = type === 'string' && dice.chance(0.1);
    return [name, masks ? { ...line, mask: dice.pick(['truncate_ip', 'hash'] as const) } : line];
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
function makeWindows(dice: Dice, conditions: ConditionMaker, names: readonly string[]): object {
  const rich = dice.chance(0.5);
  const end = dice.chance(0.6) ? (dice.chance(0.8) ? conditions.equality() : conditions.any()) : null;
  const split = {
    ...(dice.chance(0.4) ? { midnight: dice.pick(ZONES) } : {}),
    ...(dice.chance(0.4) ? { on_change: dice.some(names, dice.between(1, 2)) } : {}),
  };
  return {
    ...(end === null
      ? {}
      : { end_event: rich && !Array.isArray(end) && dice.chance(0.4) ? { ...end, counted: true } : end }),
    ...(rich && dice.chance(0.4)
      ? { start_event: dice.chance(0.8) ? conditions.equality() : conditions.any() }
      : {}),
    ...(rich && Object.keys(split).length > 0 ? { split } : {}),
  };
}
