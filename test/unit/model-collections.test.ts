import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { compileModel } from '#src/model/compile.js';
import { loadModel } from '#src/model/load.js';
import type { ColumnOp, CompiledModel } from '#src/model/types.js';

/** The words of the model language for columns that hold or count several values. */

const MODEL = `
name: visits
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  type: { type: string, required: true }
  page: { type: string }
  title: { type: string }
  price: { type: number }
  amount: { type: uint32 }
columns:
  session_id: { op: session_id, template: "{key}" }
  session_start: { op: session_start }
  pages: { op: list, field: page, limit: 5 }
  titles: { op: list, field: title, limit: 6, as: json, by: page, where: { field: type, in: [view, click, view] } }
  kinds: { op: set, field: type, limit: 7 }
  kinds_json: { op: set, field: type, limit: 7, as: json }
  visited: { op: count_values, field: page }
  prices: { op: count_values, field: price, type: uint16 }
  steps: { op: records, of: { t: at, page: page, amount: amount }, present: page, limit: 8 }
  log: { op: records, of: { Z_9: user, a: type }, limit: 9 }
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`;

const MODELS = new URL('../../config/models/', import.meta.url);
const model = compileModel(MODEL, 'visits.yaml');

const columnOf = ({ columns }: CompiledModel, name: string) =>
  columns.find((column) => column.name === name)!;
const place = (name: string) => model.fields.findIndex(({ path }) => path.join('.') === name);

function changed(from: string, to: string): string {
  const text = MODEL.replace(from, to);
  expect(text).not.toBe(MODEL);
  return text;
}

describe('a compiled column', () => {
  it.each<[string, string, ColumnOp]>([
    [
      'pages',
      'list<string>',
      { op: 'list', field: place('page'), limit: 5, json: false, by: null, where: null },
    ],
    [
      'titles',
      'string',
      {
        op: 'list',
        field: place('title'),
        limit: 6,
        json: true,
        by: place('page'),
        where: { field: place('type'), oneOf: ['click', 'view'] },
      },
    ],
    ['kinds', 'list<string>', { op: 'set', field: place('type'), limit: 7, json: false, where: null }],
    ['kinds_json', 'string', { op: 'set', field: place('type'), limit: 7, json: true, where: null }],
    ['visited', 'uint32', { op: 'count_values', field: place('page'), where: null }],
    ['prices', 'uint16', { op: 'count_values', field: place('price'), where: null }],
    [
      'steps',
      'string',
      {
        op: 'records',
        members: [
          { name: 't', field: place('at') },
          { name: 'page', field: place('page') },
          { name: 'amount', field: place('amount') },
        ],
        present: place('page'),
        limit: 8,
        where: null,
      },
    ],
    [
      'log',
      'string',
      {
        op: 'records',
        members: [
          { name: 'Z_9', field: place('user') },
          { name: 'a', field: place('type') },
        ],
        present: null,
        limit: 9,
        where: null,
      },
    ],
  ])('%s has its type and operation, and is never null', (name, type, op) => {
    expect(columnOf(model, name)).toMatchObject({ type, op, nullable: false, lowCardinality: false });
  });

  it('does not ask for the presence of a field that every event has', () => {
    const asking = compileModel(changed('present: page,', 'present: type,'), 'm.yaml');
    expect(columnOf(asking, 'steps').op).toMatchObject({ present: null });
  });
});

describe('the hash of a model', () => {
  it('is for the shipped clickstream the one that tables know', () => {
    expect(loadModel('clickstream').hash).toBe(
      '8076da18c32b90c5c85b1db3e5b26859cbb204d989a6d1f2294e1640ebff6cf8',
    );
  });

  it('changes with each of them', () => {
    const others = [
      changed('field: page, limit: 5', 'field: page, limit: 5, as: json'),
      changed('field: page, limit: 5', 'field: page, limit: 5, where: { field: type, in: [view] }'),
      changed(' as: json, by: page,', ' as: json,'),
      changed('by: page,', 'by: user,'),
      changed('in: [view, click, view]', 'in: [view]'),
      changed(', where: { field: type, in: [view, click, view] }', ''),
      changed('field: type, limit: 7 }', 'field: type, limit: 7, as: json }'),
      changed('count_values, field: page', 'count_distinct, field: page'),
      changed('field: price, type: uint16', 'field: price, type: uint64'),
      changed('present: page, ', ''),
      changed('present: page', 'present: amount'),
      changed('{ t: at,', '{ time: at,'),
      changed('{ t: at, page: page,', '{ page: page, t: at,'),
      changed('amount: amount }', 'amount: user }'),
      changed('limit: 9', 'limit: 10'),
    ].map((text) => compileModel(text, 'm.yaml').hash);
    expect(new Set([model.hash, ...others]).size).toBe(others.length + 1);
  });

  it('stays when a condition names its values in another order', () => {
    const reordered = changed('in: [view, click, view]', 'in: [click, view]');
    expect(compileModel(reordered, 'm.yaml').hash).toBe(model.hash);
  });
});

describe('a model is refused, with line, path and what to write, for', () => {
  const records = '{ t: at, page: page, amount: amount }';

  it.each([
    [
      'a form that is none',
      changed('7, as: json', '7, as: jsn'),
      /kinds_json\.as: must be json; leave it out/,
    ],
    [
      'items by a field without json',
      changed(' as: json, by: page,', ' by: page,'),
      /titles\.by: needs as: json beside it/,
    ],
    ['items by an unknown field', changed('by: page', 'by: pge'), /titles\.by: pge is no field.*mean page\?/],
    ['items by a number', changed('by: page', 'by: amount'), /titles\.by: amount is of type uint32/],
    [
      'a list of numbers',
      changed('field: title', 'field: amount'),
      /titles\.field: amount is of type uint32/,
    ],
    [
      'a condition on an unknown field',
      changed('{ field: type, in: [view, click', '{ field: tpe, in: [view, click'),
      /titles\.where\.field: tpe is no field.*mean type\?/,
    ],
    [
      'a condition on a number',
      changed('{ field: type, in: [view, click', '{ field: price, in: [view, click'),
      /titles\.where\.field: price is of type number/,
    ],
    [
      'an unknown key of a condition',
      changed('in: [view, click, view]', 'in: [view], inn: [a]'),
      /titles\.where\.inn: no such key; did you mean in\?/,
    ],
    [
      'a condition without values',
      changed(', in: [view, click, view]', ''),
      /titles\.where: asks nothing of the field/,
    ],
    [
      'a mistyped condition',
      changed('where: {', 'were: {'),
      /titles\.were: no such key; did you mean where\?/,
    ],
    ['a set by a field', changed('7, as: json', '7, as: json, by: page'), /kinds_json\.by: no such key/],
    [
      'values of an unknown field',
      changed('count_values, field: page', 'count_values, field: pag'),
      /visited\.field: pag is no field/,
    ],
    [
      'a mistyped operation',
      changed('op: count_values', 'op: count_value'),
      /visited\.op: no such operation; did you mean count_values\?/,
    ],
    [
      'records of a float',
      changed('amount: amount', 'amount: price'),
      /steps\.of\.amount: price is of type number; this takes string or boolean or int32 or uint32 or time/,
    ],
    [
      'records of an unknown field',
      changed('amount: amount', 'amount: amuont'),
      /steps\.of\.amount: amuont is no field.*mean amount\?/,
    ],
    ['records of nothing', changed(records, '{}'), /steps\.of: must name at least one field/],
    ['records of a list', changed(records, '[at, page]'), /steps\.of: must be a map of names to fields/],
    ['records without members', changed(`of: ${records}, `, ''), /steps\.of: is missing/],
    [
      'too many members',
      changed(records, `{ ${Array.from({ length: 33 }, (_, i) => `m${i}: page`).join(', ')} }`),
      /steps\.of: must name at most 32 fields/,
    ],
    ['a member that JSON paths would quote', changed('{ t: at', '{ "a b": at'), /steps\.of\.a b: is no name/],
    ['a member that objects put first', changed('{ t: at', '{ 1: at'), /steps\.of\.1: is no name/],
    ['a member that objects inherit', changed('{ t: at', '{ __proto__: at'), /steps\.of\.__proto__/],
    ['a member of a number', changed('{ t: at', '{ t: 7'), /steps\.of\.t/],
    [
      'presence of an unknown field',
      changed('present: page', 'present: pages'),
      /steps\.present: pages is no/,
    ],
    [
      'records without a limit',
      changed('present: page, limit: 8', 'present: page'),
      /steps\.limit: is missing/,
    ],
    ['a limit of nothing', changed('limit: 8', 'limit: 0'), /steps\.limit/],
    ['a limit beyond all', changed('limit: 8', 'limit: 100001'), /steps\.limit/],
  ])('%s', (_name, text, said) => {
    let message = 'it was accepted';
    try {
      compileModel(text, 'm.yaml');
    } catch (error) {
      expect(error).toBeInstanceOf(HeadraceError);
      message = (error as HeadraceError).message;
    }
    expect(message).toMatch(said);
    expect(message).toMatch(/m\.yaml:\d+: columns\./);
  });

  it('several places of one column at once', () => {
    const text = changed('field: title', 'field: titel').replace('by: page', 'by: amount');
    expect(() => compileModel(text, 'm.yaml')).toThrow(/2 problems[\s\S]*titles\.field[\s\S]*titles\.by/);
  });
});

it('neither comments nor low cardinality of the shipped models are in their hashes', () => {
  for (const name of ['clickstream', 'web_clicks']) {
    const text = readFileSync(new URL(`${name}.yaml`, MODELS), 'utf8');
    const bare = text.replace(/^\s*#.*$/gm, '').replaceAll(/, low_cardinality: true/g, '');
    expect(compileModel(bare, 'm.yaml').hash).toBe(loadModel(name).hash);
  }
});
