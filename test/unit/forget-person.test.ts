import { describe, expect, it } from 'vitest';
import { hasKeyPart, keyPartOf } from '#src/commands/forget/key-part.js';
import { personOf } from '#src/commands/forget/person.js';
import { withoutValue } from '#src/commands/forget/redact.js';
import { isBound, mayHold } from '#src/commands/forget/stats.js';
import { HeadraceError } from '#src/errors.js';
import { compileModel } from '#src/model/compile.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';

const clickstream = loadModel('clickstream');
const webClicks = loadModel('web_clicks');

/** A model with a key of these fields. */
function keyed(fields: string, more = '', key = 'id'): CompiledModel {
  return compileModel(
    `
name: keyed
key: ${key}
time: { field: at, format: epoch_ms }
${more}
fields:
  at: { type: time, required: true }
  b: { type: string, required: true }
  ${fields}
columns:
  session_id: { op: session_id, template: '{key}:{start_ms}' }
  who: $key
  first_id: { op: first, field: id }
  ${fields.includes('ip:') ? 'ip: { op: first, field: ip }' : ''}
  session_start: $session_start
  created_at: $cut_time
  batch_id: $batch
  file_id: $file
  closed_by: $closed_by
  revision: $revision
  sign: $sign
`,
    'keyed.yaml',
  );
}

function codeOf(work: () => unknown): { code: string; exitCode: number; text: string } {
  try {
    work();
  } catch (error) {
    const { code, exitCode } = error as HeadraceError;
    return { code, exitCode, text: String(error) };
  }
  throw new Error('it was not refused');
}

describe('a person', () => {
  it('is named by the model’s key, by its column, or by a column with a first value', () => {
    const byKey = personOf(clickstream, 'user_id=a=b');
    expect(byKey).toMatchObject({ name: 'user_id', value: 'a=b', isKey: true });
    expect(byKey.columns.map(({ name }) => name)).toEqual(['user_id']);
    const byFirst = personOf(clickstream, 'ip_address=203.0.113.9');
    expect(byFirst).toMatchObject({ isKey: false, field: { path: ['ip_address'] } });
    const byField = personOf(clickstream, 'geo.city=Bonn');
    expect(byField.columns.map(({ name }) => name)).toEqual(['city']);
  });

  it('is named by the id of a session where that is the key itself, and by a number as such', () => {
    expect(personOf(webClicks, 'session_id=s1')).toMatchObject({ isKey: true, value: 's1' });
    expect(personOf(webClicks, 'user_id=42')).toMatchObject({ isKey: false, value: 42 });
    expect(codeOf(() => personOf(webClicks, 'user_id=x')).code).toBe('USAGE');
    expect(codeOf(() => personOf(webClicks, 'user_id=4294967296')).code).toBe('USAGE');
  });

  it('is found by what rows hold: a number that is the key as text, a hash as hash', () => {
    const byNumber = personOf(keyed('id: { type: uint32, required: true }'), 'id=007');
    expect(byNumber).toMatchObject({ isKey: true, raw: '007', value: '7' });
    expect(byNumber.columns.map(({ name }) => name)).toEqual(['who']);
    const salt = 'mask_salt_file: test/fixtures/mask-salt.txt';
    const byHash = personOf(keyed('id: { type: string, required: true, mask: hash }', salt), 'id=anna');
    expect(byHash).toMatchObject({ isKey: true, raw: 'anna' });
    expect(byHash.value).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is named by one part of a key of several fields where a column holds it, never by a network', () => {
    const model = keyed(
      'id: { type: string, required: true }\n  ip: { type: string, mask: truncate_ip }',
      '',
      '[id, b]',
    );
    const byPart = personOf(model, 'id=anna');
    expect(byPart).toMatchObject({ isKey: false, value: 'anna' });
    expect(byPart.columns.map(({ name }) => name)).toEqual(['first_id']);
    expect(codeOf(() => personOf(model, 'who=anna|x'))).toMatchObject({ exitCode: 78 });
    expect(codeOf(() => personOf(model, 'ip=203.0.113.9')).text).toMatch(/only the network/);
  });

  it('is named by a part that no column holds alone by what the key says of it, and not where no column holds the key', () => {
    const model = keyed('id: { type: string, required: true }', '', '[id, b]');
    const byPart = personOf(model, 'b=x|y');
    expect(byPart).toMatchObject({ isKey: false, value: 'x|y', keyPart: { written: 'x\\|y' } });
    expect(byPart.columns.map(({ name }) => name)).toEqual(['who']);
    expect(personOf(model, 'id=anna').keyPart).toBeNull();
    const keyless = { ...model, columns: model.columns.filter(({ name }) => name !== 'who') };
    expect(codeOf(() => personOf(keyless, 'b=x')).text).toMatch(/no column of the table holds this field/);
    expect(codeOf(() => personOf(model, 'bb=x')).text).toMatch(/did you mean b\?/);
  });

  it('as a part of a key is every key’s that has it there, whatever the other parts are', () => {
    const texts = ['a', 'b', '', '|', '\\', 'a|b', 'a\\', '\\|', 'a.b', 'ab', '\n', 'é😀', '^$'];
    const escaped = (text: string) => text.replace(/[|\\]/g, '\\$&');
    for (const value of texts) {
      for (const at of [0, 1, 2]) {
        const part = keyPartOf(at, 3, value);
        for (const other of texts) {
          const parts = [other, other, other];
          expect(hasKeyPart(parts.map(escaped).join('|'), part), `${value} ${other}`).toBe(other === value);
          expect(hasKeyPart(parts.with(at, value).map(escaped).join('|'), part)).toBe(true);
        }
      }
    }
  });

  it('that nothing in the model names is refused with what is near, and without the value', () => {
    const near = codeOf(() => personOf(clickstream, 'userid=secret-value'));
    expect(near).toMatchObject({ exitCode: 78, code: 'CONFIG_INVALID' });
    expect(near.text).toMatch(/did you mean user_id\?/);
    expect(near.text).not.toContain('secret-value');
    // made of more than one field, of more than one event, or of no text
    for (const name of ['session_id', 'total_events', 'exit_page', 'latitude', 'nobody'])
      expect(codeOf(() => personOf(clickstream, `${name}=1`)).exitCode, name).toBe(78);
    expect(codeOf(() => personOf(clickstream, 'nobody=1')).text).toMatch(/one of user_id, /);
    for (const text of ['user_id', '=x', 'user_id='])
      expect(codeOf(() => personOf(clickstream, text)).exitCode, text).toBe(64);
  });
});

describe('statistics of a file', () => {
  const stats = (min: unknown, max: unknown, nulls = 0) =>
    JSON.stringify({
      numRecords: 3,
      minValues: { user_id: min },
      maxValues: { user_id: max },
      nullCount: { user_id: nulls },
    });
  const person = personOf(clickstream, 'user_id=m');

  it('rule it out by bounds and by nulls alone, and only then', () => {
    expect(mayHold(stats('a', 'l'), person)).toBe(false);
    expect(mayHold(stats('n', 'z'), person)).toBe(false);
    expect(mayHold(stats('a', 'z'), person)).toBe(true);
    expect(mayHold(stats('m', 'm'), person)).toBe(true);
    expect(mayHold(stats('a', 'l', 3), person)).toBe(false);
    expect(mayHold(undefined, person)).toBe(true);
    expect(mayHold('not JSON', person)).toBe(true);
    expect(mayHold(JSON.stringify({ numRecords: 3 }), person)).toBe(true);
    // by bytes: U+10000 is behind U+FFFD, although its UTF-16 units are before
    const high = personOf(clickstream, 'user_id=\u{10000}');
    expect(mayHold(stats('a', '\ufffd'), high)).toBe(false);
    expect(mayHold(stats('\ufffd', '\u{10001}'), high)).toBe(true);
    const number = personOf(webClicks, 'user_id=9');
    expect(mayHold(stats(10, 20), number)).toBe(false);
    expect(mayHold(stats(1, 20), number)).toBe(true);
  });

  it('are told of when the value is one of the bounds', () => {
    expect(isBound(stats('a', 'm'), person)).toBe(true);
    expect(isBound(stats('a', 'z'), person)).toBe(false);
    const part = { ...person, keyPart: keyPartOf(1, 2, 'm') };
    expect(isBound(stats('a|b', 'z|m'), part)).toBe(true);
    expect(isBound(stats('m|b', 'z|n'), part)).toBe(false);
    expect(mayHold(stats('x|a', 'z|b'), part)).toBe(true);
  });
});

it('a failure says nothing of the value, wherever it stands as a word', () => {
  const error = new HeadraceError('CLICKHOUSE_REFUSED', "bad: 'u.1' in u.12, (u.1)", {
    where: { url: 'http://u.1/', rows: 1 },
    remedy: 'ask u.1',
  });
  const clean = withoutValue(error, 'user_id=u.1') as HeadraceError;
  expect(clean.message).toBe("bad: '***' in u.12, (***)");
  expect(clean.where).toEqual({ url: 'http://***/', rows: 1 });
  expect(clean.remedy).toBe('ask ***');
  expect(clean.cause).toBeUndefined();
  expect(withoutValue(error, null)).toBe(error);
});
