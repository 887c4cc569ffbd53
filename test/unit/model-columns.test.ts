import { describe, expect, it } from 'vitest';
import type { HeadraceError } from '#src/errors.js';
import { compileModel } from '#src/model/compile.js';
import { loggedFields } from '#src/model/logged-fields.js';
import type { CompiledModel } from '#src/model/types.js';
import { valuesModel } from '../support/values-model.js';

/** The language's words for conditions, numbers and columns made of others. */

const SHARED = `
  session_id: $session_id
  session_start: $session_start
  created_at: $cut_time
  batch_id: $batch
  file_id: $file
  closed_by: $closed_by
  revision: $revision
  sign: $sign
`;

function modelText(columns: string, top = ''): string {
  return `
name: language
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  type: { type: string }
  page: { type: string, required: true }
  price: { type: number }
  step: { type: int32, required: true }
  amount: { type: uint32 }
  paid: { type: boolean }
gap: 30m
${top}
columns:
${columns}${SHARED}`;
}

const compiled = (columns: string, top = '') => compileModel(modelText(columns, top), 'm.yaml');

function opOf(model: CompiledModel, name: string) {
  return model.columns.find((column) => column.name === name)!;
}

function complaint(columns: string, top = ''): string {
  try {
    compiled(columns, top);
  } catch (error) {
    expect((error as HeadraceError).code).toBe('MODEL_INVALID');
    return (error as HeadraceError).message;
  }
  throw new Error('it was accepted');
}

describe('the type of a column', () => {
  it.each([
    ['x: { op: min, field: price }', 'float?'],
    ['x: { op: min, field: step }', 'int32'],
    ['x: { op: max, field: amount }', 'uint32?'],
    ['x: { op: max, field: at }', 'time'],
    ['x: { op: sum, field: price }', 'float?'],
    ['x: { op: sum, field: step }', 'int64'],
    ['x: { op: sum, field: amount }', 'uint64?'],
    ['x: { op: sum, field: step, type: int16 }', 'int16'],
    ['x: { op: avg, field: step }', 'float'],
    ['x: { op: avg, field: price, type: uint8 }', 'uint8?'],
    ['x: { op: first, field: paid }', 'bool?'],
    ['x: { op: first, field: page, where: { field: paid, is: true } }', 'string?'],
    ['x: { op: argmin, field: page, by: step }', 'string'],
    ['x: { op: argmax, field: page, by: price }', 'string?'],
    ['x: { op: argmax, field: step, by: at, type: float }', 'float'],
    ['x: { op: constant, value: 7 }', 'float'],
    ['x: { op: constant, value: 7, type: int8 }', 'int8'],
    ['x: { op: constant, value: web }', 'string'],
    ['x: { op: constant, value: true }', 'bool'],
    ['x: $partition', 'uint32'],
    ['x: $first_offset', 'uint64'],
    ['n: $count\n  x: { op: calculate, formula: n + 1 }', 'float'],
    ['n: $count\n  x: { op: calculate, formula: n / 2 }', 'float?'],
    ['n: $count\n  x: { op: calculate, formula: n = 1 }', 'bool'],
    ['n: $count\n  x: { op: calculate, formula: n * 2, type: uint16 }', 'uint16'],
    ['n: { op: avg, field: step }\n  x: { op: calculate, formula: n > 1 }', 'bool?'],
    ['n: $key\n  x: { op: concat, of: [n, n] }', 'string'],
  ])('%s is %s', (columns, shown) => {
    const { type, nullable } = opOf(compiled(`  ${columns}\n`), 'x');
    expect(`${type}${nullable ? '?' : ''}`).toBe(shown);
  });
});

describe('a condition', () => {
  const place = (name: string) => compiled('').fields.findIndex(({ path }) => path[0] === name);
  const whereOf = (text: string) => opOf(compiled(`  x: { op: count_if, ${text} }\n`), 'x').op;

  it('of one test is that test, of several all of them, of a list too', () => {
    const views = { field: place('type'), oneOf: ['click', 'view'] };
    expect(whereOf('field: type, in: [view, click, view]')).toEqual({ op: 'count_if', where: views });
    expect(whereOf('where: [{ field: type, in: [view, click] }]')).toEqual({ op: 'count_if', where: views });
    const cheap = { field: place('price'), least: 1, most: null };
    const both = { op: 'count_if', where: { all: [views, cheap] } };
    expect(whereOf('where: [{ field: type, in: [view, click] }, { field: price, min: 1 }]')).toEqual(both);
    expect(whereOf('field: type, in: [view, click], where: { field: price, min: 1 }')).toEqual(both);
  });

  it('has a word for each thing that can be asked', () => {
    expect(whereOf('field: type, not_in: [view]')).toMatchObject({ where: { noneOf: ['view'] } });
    expect(whereOf('field: paid, present: false')).toMatchObject({ where: { present: false } });
    expect(whereOf('field: paid, is: true')).toMatchObject({ where: { is: true } });
    expect(whereOf('field: step, min: -2, max: 5')).toMatchObject({ where: { least: -2, most: 5 } });
    expect(whereOf('any: [{ field: paid, is: true }, { field: step, max: 0 }]')).toMatchObject({
      where: { any: [{ is: true }, { least: null, most: 0 }] },
    });
  });

  it('keeps the fields that it asks of in the session, but not those of the filter', () => {
    const model = compiled(
      '  x: { op: first, field: price, where: { field: paid, is: true } }\n',
      'filter: { field: amount, min: 1 }\nend_event: [{ field: type, in: [end] }, { field: step, min: 0 }]',
    );
    const names = loggedFields(model).fields.map((field) => model.fields[field]!.path[0]);
    expect(names).toEqual(['price', 'paid']);
    expect(model.filter).toEqual({ field: place('amount'), least: 1, most: null });
    expect(model.endEvent).toMatchObject({ all: [{ oneOf: ['end'] }, { least: 0 }] });
  });
});

describe('what a session keeps', () => {
  it('is nothing of the time, which an event has anyway, where it is compared', () => {
    const model = compiled('  x: { op: max, field: at }\n  y: { op: argmin, field: page, by: at }\n');
    expect(loggedFields(model).fields.map((field) => model.fields[field]!.path[0])).toEqual(['page']);
  });

  it('has where events lie only for the columns that ask for it, and the partition once a session', () => {
    const { fields, tracked } = loggedFields(compiled('  x: $partition\n  y: $last_offset\n'));
    expect([fields.length, tracked]).toEqual([2, 1]);
    expect(loggedFields(compiled('')).fields).toEqual([]);
  });
});

describe('the hash', () => {
  it('is another one with a condition or a filter', () => {
    const plain = compiled('  x: { op: first, field: page }\n');
    const asked = compiled('  x: { op: first, field: page, where: { field: paid, is: true } }\n');
    expect(asked.hash).not.toBe(plain.hash);
    expect(compiled('  x: { op: first, field: page }\n', 'filter: { field: paid, is: true }').hash).not.toBe(
      plain.hash,
    );
  });

  it('is the same for a column and what is short for it', () => {
    expect(compiled('  x: { op: partition }\n').hash).toBe(compiled('  x: $partition\n').hash);
    expect(valuesModel().hash).not.toBe(valuesModel('11s').hash);
  });
});

describe('a column is refused, with its path, for', () => {
  it.each([
    ['a sum of texts', 'x: { op: sum, field: page }', /x\.field: page is of type string; this takes number/],
    ['a mean of times', 'x: { op: avg, field: at }', /x\.field: at is of type time/],
    [
      'a type of a text',
      'x: { op: first, field: page, type: int8 }',
      /x\.type: is for numbers; this is string/,
    ],
    ['a type that is none', 'x: { op: sum, field: step, type: int9 }', /x\.type/],
    [
      'low cardinality of a number',
      'x: { op: argmin, field: step, by: at, low_cardinality: true }',
      /for strings/,
    ],
    ['a condition without a field', 'x: { op: count_if, in: [a] }', /columns\.x\.field: is missing/],
    ['a condition that asks nothing', 'x: { op: count_if, field: type }', /columns\.x: asks nothing/],
    [
      'a text compared with a number',
      'x: { op: count_if, field: type, min: 1 }',
      /x\.field: type is of type string/,
    ],
    [
      'a number that is to be true',
      'x: { op: count_if, field: step, is: true }',
      /x\.field: step is of type int32/,
    ],
    [
      'a range the wrong way round',
      'x: { op: count_if, field: step, min: 2, max: 1 }',
      /x\.min: is above max/,
    ],
    [
      'a mistyped word in a list of conditions',
      'x: { op: sum, field: step, where: [{ field: type, inn: [a] }] }',
      /x\.where\.0\.inn: no such key; did you mean in\?/,
    ],
    [
      'a mistyped field in a nested condition',
      'x: { op: sum, field: step, where: { any: [{ field: typ, in: [a] }] } }',
      /x\.where\.any\.0\.field: typ is no field.*did you mean type\?/,
    ],
    ['a shorthand that is none', 'x: $partitoin', /x: is neither.*did you mean \$partition\?/],
    ['a bare number', 'x: 7', /x: must be a map with op, or short for one/],
    [
      'a formula of nothing',
      'x: { op: calculate, formula: 1 + }',
      /x\.formula: lacks a column, a number or a bracket/,
    ],
    [
      'a formula with a bracket open',
      'x: { op: calculate, formula: (1 + 2 }',
      /x\.formula: lacks \) before its end/,
    ],
    [
      'a formula of what comes later',
      'x: { op: calculate, formula: y }\n  y: $count',
      /takes y, which must stand above/,
    ],
    ['a formula of itself', 'x: { op: calculate, formula: x }', /takes x, which must stand above/],
    [
      'a formula of a text',
      'k: $key\n  x: { op: calculate, formula: k + 1 }',
      /takes k, which is not a number/,
    ],
    [
      'an unknown column',
      'count: $count\n  x: { op: calculate, formula: coutn }',
      /which is no column; did you mean count\?/,
    ],
    [
      'an unknown function',
      'x: { op: calculate, formula: sqrt(2) }',
      /has no function sqrt; there are floor/,
    ],
    [
      'two values for floor',
      'x: { op: calculate, formula: "floor(1, 2)" }',
      /gives floor 2 values, where it takes 1/,
    ],
    ['two comparisons in a row', 'x: { op: calculate, formula: 1 < 2 < 3 }', /compares twice/],
    ['a character that means nothing', 'x: { op: calculate, formula: 1 % 2 }', /has "%"/],
    ['brackets without end', `x: { op: calculate, formula: ${'('.repeat(100)} }`, /nested more than/],
    [
      'a joined float',
      'f: { op: avg, field: step }\n  x: { op: concat, of: [f] }',
      /x\.of\.0: takes f, which is not a text/,
    ],
    [
      'the overflow of a number',
      'n: $count\n  x: { op: overflow, of: n }',
      /x\.of: takes n, which is not a list/,
    ],
    ['a constant list', 'x: { op: constant, value: [1] }', /x\.value: must be a text, a number/],
  ])('%s', (_name, columns, said) => {
    expect(complaint(`  ${columns}\n`)).toMatch(said);
  });

  it('a filter that asks of no field', () => {
    expect(complaint('', 'filter: { field: tipe, in: [a] }')).toMatch(/filter\.field: tipe is no field/);
    expect(complaint('', 'filter: { feld: type, in: [a] }')).toMatch(/filter\.feld: no such key/);
  });
});
