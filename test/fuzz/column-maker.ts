import type { ConditionMaker } from './condition-maker.js';
import type { Dice } from './dice.js';
import { makeFormula } from './formula-maker.js';
import type { FieldLine } from './model-maker.js';

/** Columns of a model file: every operation, in any order that the language takes. */

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

const NUMBER_TYPES = [
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float',
] as const;

/** What others can be made of a column. */
type Kind = 'number' | 'float' | 'text' | 'items' | 'none';
type Column = [name: string, column: object | string, kind: Kind];

export function makeColumns(
  dice: Dice,
  fields: Readonly<Record<string, FieldLine>>,
  conditions: ConditionMaker,
): Record<string, object | string> {
  const maker = new ColumnMaker(dice, fields, conditions);
  const length = dice.weighted([
    [1, 0],
    [6, dice.between(1, 12)],
    [1, 40],
  ]);
  const own = Array.from({ length }, (_, index) => maker.column(`c${index}`));
  const columns: Column[] = [];
  for (const column of dice.shuffled([...sharedColumns(dice), ...own])) {
    columns.push(column);
    if (dice.chance(0.2)) columns.push(makeDerived(dice, `d${columns.length}`, columns));
  }
  return Object.fromEntries(columns.map(([name, column]) => [name, column]));
}

function sharedColumns(dice: Dice): Column[] {
  const plain = (name: string, op: string, short: string, kind: Kind): Column => [
    name,
    dice.chance(0.3) ? short : { op },
    kind,
  ];
  return [
    ['session_id', { op: 'session_id', template: makeTemplate(dice) }, 'text'],
    plain('session_start', 'session_start', '$session_start', 'float'),
    plain('created_at', 'created_at', '$cut_time', 'none'),
    plain('batch_id', 'batch_id', '$batch', 'none'),
    plain('file_id', 'file_id', '$file', 'none'),
    plain('closed_by', 'closed_by', '$closed_by', 'text'),
    plain('revision', 'revision', '$revision', 'none'),
    plain('sign', 'sign', '$sign', 'none'),
  ];
}

class ColumnMaker {
  readonly #dice: Dice;
  readonly #fields: Readonly<Record<string, FieldLine>>;
  readonly #names: readonly string[];
  readonly #conditions: ConditionMaker;

  constructor(dice: Dice, fields: Readonly<Record<string, FieldLine>>, conditions: ConditionMaker) {
    this.#dice = dice;
    this.#fields = fields;
    this.#names = Object.keys(fields);
    this.#conditions = conditions;
  }

  column(name: string): Column {
    const dice = this.#dice;
    const numbers = this.#of('number', 'int32', 'uint32');
    const ordered = [...numbers, ...this.#of('time')];
    const op = dice.pick([
      ...(['first', 'last', 'first', 'last', 'count_distinct', 'count_values', 'list', 'list'] as const),
      ...(['set', 'records', 'count_if', 'count_if', 'count', 'duration_sec', 'session_end', 'key'] as const),
      ...(['min', 'max', 'argmin', 'argmax', 'constant'] as const),
      ...(numbers.length === 0 ? [] : (['sum', 'avg', 'sum'] as const)),
      ...(dice.chance(0.2) ? (['partition', 'first_offset', 'last_offset'] as const) : []),
    ]);
    const made = (column: object | string, kind: Kind): Column => [name, column, kind];
    switch (op) {
      case 'first':
      case 'last': {
        const field = dice.pick(this.#names);
        return made({ op, field, ...this.#numberType(field), ...this.#where() }, this.#kindOf(field));
      }
      case 'min':
      case 'max': {
        const field = dice.pick(ordered);
        return made({ op, field, ...this.#numberType(field), ...this.#where() }, 'float');
      }
      case 'sum':
      case 'avg': {
        const field = dice.pick(numbers);
        return made({ op, field, ...this.#numberType(field), ...this.#where() }, 'float');
      }
      case 'argmin':
      case 'argmax': {
        const field = dice.pick(this.#names);
        const by = dice.pick(ordered);
        return made({ op, field, by, ...this.#numberType(field), ...this.#where() }, this.#kindOf(field));
      }
      case 'count_distinct':
      case 'count_values':
        return made({ op, field: dice.pick(this.#names), ...this.#countType(), ...this.#where() }, 'float');
      case 'list':
        return made(
          {
            op,
            field: dice.pick(this.#of('string')),
            limit: this.#limit(),
            ...this.#choice(),
            ...this.#where(),
          },
          'items',
        );
      case 'set': {
        const as = dice.chance(0.5) ? { as: 'json' } : {};
        const field = dice.pick(this.#of('string'));
        return made({ op, field, limit: this.#limit(), ...as, ...this.#where() }, 'items');
      }
      case 'records':
        return made(
          { op, of: this.#members(), limit: this.#limit(), ...this.#present(), ...this.#where() },
          'items',
        );
      case 'count_if':
        return made({ op, ...this.#conditions.inline(), ...this.#countType() }, 'float');
      case 'constant':
        return this.#constant(name);
      case 'count':
      case 'duration_sec':
        return made({ op, ...this.#countType() }, 'float');
      case 'key':
        return made('$key', 'text');
      case 'session_end':
        return made({ op }, 'float');
      default:
        return made(dice.chance(0.5) ? `$${op}` : { op }, 'number');
    }
  }

  #of(...types: FieldLine['type'][]): string[] {
    return this.#names.filter((name) => types.includes(this.#fields[name]!.type));
  }

  #kindOf(field: string): Kind {
    const { type } = this.#fields[field]!;
    return type === 'string' ? 'text' : type === 'boolean' ? 'number' : 'float';
  }

  #numberType(field: string): object {
    const { type } = this.#fields[field]!;
    const isNumber = type === 'number' || type === 'int32' || type === 'uint32';
    return isNumber && this.#dice.chance(0.3) ? { type: this.#dice.pick(NUMBER_TYPES) } : {};
  }

  #countType(): object {
    return this.#dice.chance(0.5) ? {} : { type: this.#dice.pick(NUMBER_TYPES) };
  }

  #where(): object {
    return this.#dice.chance(0.25) ? { where: this.#conditions.any() } : {};
  }

  #limit(): number {
    const dice = this.#dice;
    return dice.weighted([
      [2, 1],
      [2, 2],
      [2, 3],
      [2, dice.between(1, 30)],
      [1, 100_000],
    ]);
  }

  /** What a list is by, and how it is written. */
  #choice(): object {
    const by = this.#dice.chance(0.4) ? { by: this.#dice.pick(this.#of('string')) } : {};
    return { ...by, ...('by' in by || this.#dice.chance(0.3) ? { as: 'json' } : {}) };
  }

  /** The same field may be there twice. */
  #members(): object {
    const names = this.#names.filter((name) => this.#fields[name]!.type !== 'number');
    const members = this.#dice.some(MEMBER_NAMES, this.#dice.between(1, 4));
    return Object.fromEntries(members.map((member) => [member, this.#dice.pick(names)]));
  }

  #present(): object {
    return this.#dice.chance(0.5) ? { present: this.#dice.pick(this.#names) } : {};
  }

  #constant(name: string): Column {
    const dice = this.#dice;
    const value = dice.pick([0, -1, 1.5, 300, -70_000, 5_000_000_000, 1e300, 'text', '', 'é"', true, false]);
    const type = typeof value === 'number' && dice.chance(0.6) ? { type: dice.pick(NUMBER_TYPES) } : {};
    return [name, { op: 'constant', value, ...type }, typeof value === 'string' ? 'text' : 'float'];
  }
}

/** A column made of those before it. */
function makeDerived(dice: Dice, name: string, before: readonly Column[]): Column {
  const of = (...kinds: Kind[]) => before.filter(([, , kind]) => kinds.includes(kind)).map(([each]) => each);
  const items = of('items');
  const joined = of('text', 'number');
  const numbers = of('number', 'float');
  return dice.weighted<() => Column>([
    [items.length === 0 ? 0 : 1, () => [name, { op: 'overflow', of: dice.pick(items) }, 'float']],
    [
      joined.length === 0 ? 0 : 1,
      () => {
        const parts = Array.from({ length: dice.between(1, 4) }, () => dice.pick(joined));
        const separator = dice.pick([{}, { separator: '|' }, { separator: ' é ' }]);
        return [name, { op: 'concat', of: parts, ...separator }, 'text'];
      },
    ],
    [
      2,
      () => {
        const type = dice.chance(0.4) ? {} : { type: dice.pick([...NUMBER_TYPES, 'bool']) };
        return [name, { op: 'calculate', formula: makeFormula(dice, numbers, 3), ...type }, 'float'];
      },
    ],
  ])();
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
