import { describe, expect, it } from 'vitest';
import { chooseEngine } from '#src/kernel/engine-choice.js';
import { compileModel } from '#src/model/compile.js';
import { loggedFields } from '#src/model/logged-fields.js';
import type { CompiledModel } from '#src/model/types.js';

/** A model with these columns over fields of the same names, `end` ended by `type`. */
function modelOf(columns: Record<string, string>, endEvent = false): CompiledModel {
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
${entries.join('\n')}
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
