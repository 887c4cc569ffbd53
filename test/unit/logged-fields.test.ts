import { describe, expect, it } from 'vitest';
import { chooseEngine } from '#src/kernel/engine-choice.js';
import { compileModel } from '#src/model/compile.js';
import { loggedFields } from '#src/model/logged-fields.js';
import type { CompiledModel } from '#src/model/types.js';

/** A model with these operations over fields of the same names, ended by `type`; `more`: further lines of columns. */
function modelOf(
  columns: Record<string, string>,
  endEvent = false,
  more: readonly string[] = [],
): CompiledModel {
  const fields = Object.keys(columns).map((name) => `  ${name}: { type: string }`);
  const entries = Object.entries(columns).map(([name, op]) => `  ${name}: { op: ${op}, field: ${name} }`);
  return compileModel(
    `
name: wide
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  type: { type: string }
${fields.join('\n')}
gap: 10s
allowed_disorder: 5s
allowed_lateness: 20s
max_future: 4d
${endEvent ? 'end_event: { field: type, in: [end] }' : ''}
columns:
  session_id: { op: session_id, template: '{key}:{start_ms}' }
  key: { op: key }
  session_start: { op: session_start }
  session_end: { op: session_end }
${[...entries, ...more.map((line) => `  ${line}`)].join('\n')}
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`,
    'wide.yaml',
  );
}

function namesOf(model: CompiledModel): { names: string[]; tracked: number } {
  const { fields, tracked } = loggedFields(model);
  return { names: fields.map((index) => model.fields[index]!.path.join('.')), tracked };
}

describe('what a session keeps of an event', () => {
  it('is what columns read, with those that only `first` reads behind the others', () => {
    const model = modelOf({ a: 'first', b: 'last', c: 'first', d: 'count_distinct' });
    expect(namesOf(model)).toEqual({ names: ['b', 'd', 'a', 'c'], tracked: 2 });
  });

  it('is every value of all of them where an end event can make any event the first', () => {
    const model = modelOf({ a: 'first', b: 'last' }, true);
    expect(namesOf(model)).toEqual({ names: ['b', 'a'], tracked: 2 });
  });
});

describe('what a session keeps for a list or for records', () => {
  const none = { a: 'first', b: 'first', c: 'first', d: 'first' };

  it('is the field, what tells its items apart and what the condition asks, of every event', () => {
    const line = 'items: { op: list, field: d, limit: 3, as: json, by: a, where: { field: c, in: [x] } }';
    expect(namesOf(modelOf(none, false, [line]))).toEqual({ names: ['d', 'a', 'c', 'b'], tracked: 3 });
  });

  it('is each member and what must be present, but not the time, which an event has anyway', () => {
    const line = 'items: { op: records, of: { x: c, t: at, y: a }, present: d, limit: 3 }';
    expect(namesOf(modelOf(none, false, [line]))).toEqual({ names: ['c', 'a', 'd', 'b'], tracked: 3 });
  });

  it('is no field of which only the presence is asked and that every event has', () => {
    const line = 'items: { op: records, of: { t: at }, present: user, limit: 3 }';
    expect(namesOf(modelOf(none, false, [line]))).toEqual({ names: ['a', 'b', 'c', 'd'], tracked: 0 });
  });

  it('is the field whose values are counted', () => {
    expect(namesOf(modelOf({ a: 'first', b: 'count_values' }))).toEqual({ names: ['b', 'a'], tracked: 1 });
  });
});

describe('the engine that runs', () => {
  const wide = (columns: number) =>
    modelOf(Object.fromEntries(Array.from({ length: columns }, (_, i) => [`f${i}`, 'last'])));

  it('is the one that was asked for, as long as the kernel has room for what the model keeps', () => {
    expect(chooseEngine('kernel', wide(56))).toBe('kernel');
    expect(chooseEngine('reference', wide(56))).toBe('reference');
  });

  it('is the reference for a model that keeps more', () => {
    expect(chooseEngine('kernel', wide(57))).toBe('reference');
  });
});
