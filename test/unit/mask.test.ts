import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compileModel } from '#src/model/compile.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { truncatedIp } from '#src/reference/mask.js';
import { Dice } from '../fuzz/dice.js';
import { makeIp } from '../fuzz/ip-maker.js';
import { rowsOfBoth } from '../support/both-engines.js';
import { KernelTestLane } from '../support/kernel-lane.js';
import { propertySettings } from '../support/property-seed.js';
import { LaneProbe } from '../support/reference-lane.js';

/** What is kept of values that say who somebody is, and keys of several fields. */

const folder = mkdtempSync(join(tmpdir(), 'headrace-mask-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'salt'), 'sixteen bytes at least\n');
writeFileSync(join(folder, 'other'), 'another salt of the same kind\n');
writeFileSync(join(folder, 'short'), 'short\n');

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

function modelText(fields: string, columns: string, top = ''): string {
  return `
name: masks
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  ${fields}
gap: 30m
allowed_disorder: 0s
max_future: 366d
${top}
columns:
${columns}${SHARED}`;
}

const HASHED = modelText(
  'email: { type: string, mask: hash }\n  ip: { type: string, mask: truncate_ip, required: true }',
  '  email: { op: first, field: email }\n  ip: { op: last, field: ip }\n  users: { op: count_if, field: ip, present: false }\n',
  'mask_salt_file: salt',
);

const START_MS = Date.UTC(2026, 0, 1);

/** Of user u, a millisecond apart, unless an event says something else. */
function rowsOf(model: CompiledModel, events: readonly object[]) {
  return rowsOfBoth(
    model,
    events.map((event, index) => ({ user: 'u', at: START_MS + index, ...event })),
  );
}

describe('an address', () => {
  it.each([
    ['203.0.113.9', '203.0.113.0'],
    ['0.0.0.0', '0.0.0.0'],
    ['::ffff:203.0.113.9', '203.0.113.0'],
    ['::FFFF:cb00:7109', '203.0.113.0'],
    ['2001:0db8:0001:0002::7', '2001:db8:1::'],
    ['2001:DB8::1', '2001:db8::'],
    ['2001::1', '2001::'],
    ['0:0:7::', '0:0:7::'],
    ['::1', '::'],
    ['1:2:3:4:5:6:7::', '1:2:3::'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3::'],
  ])('%s becomes its network %s', (address, network) => {
    expect(truncatedIp(address)).toBe(network);
  });

  it('is what Node takes for one, and nothing else is, in the reference and in the kernel', () => {
    const model = compileModel(HASHED, 'm.yaml', folder);
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const dice = new Dice(seededRandom(seed));
        const texts = Array.from({ length: 40 }, () => makeIp(dice));
        for (const text of texts) {
          expect(truncatedIp(text) !== null, text).toBe(isIP(text) !== 0 && !text.includes('%'));
        }
        const { rows } = rowsOf(
          model,
          texts.map((ip, index) => ({ user: `u${index}`, ip })),
        );
        expect(rows).toHaveLength(texts.length);
      }),
      propertySettings({ numRuns: 40 }),
    );
  });

  it('that is none is null and counted, also where the field must be there', () => {
    const model = compileModel(HASHED, 'm.yaml', folder);
    const { rows, blanked } = rowsOf(model, [{ ip: 'unknown' }, { ip: '10.1.2.3' }, { ip: 'localhost' }]);
    expect(rows).toMatchObject([{ ip: '10.1.2.0', users: 2, email: null }]);
    expect(blanked).toBe(2);
  });
});

describe('a hashed value', () => {
  it('is the first half of its HMAC-SHA-256, of texts of every length', () => {
    const model = compileModel(HASHED, 'm.yaml', folder);
    const lengths = [0, 1, 31, 54, 55, 56, 63, 64, 65, 119, 120, 128, 1_000];
    const texts = lengths.map((length) => 'é'.repeat(length >> 1) + 'x'.repeat(length & 1));
    const { rows } = rowsOf(
      model,
      texts.map((email, index) => ({ user: `u${index}`, email, ip: '1.2.3.4' })),
    );
    const code = (text: string) =>
      createHmac('sha256', 'sixteen bytes at least').update(text).digest('hex').slice(0, 32);
    expect(rows.map(({ email }) => email).sort()).toEqual(texts.map(code).sort());
  });

  it('appears nowhere as it was: not in a snapshot, and in a dead letter as it came', () => {
    const model = compileModel(HASHED, 'm.yaml', folder);
    const lane = new KernelTestLane(model);
    lane.send([{ user: 'u', at: START_MS, email: 'ann@example.org', ip: '203.0.113.9' }]);
    const state = Buffer.from(lane.snapshot()).toString('latin1');
    expect(state).not.toMatch(/ann|113\.9/);
    expect(state).toContain('203.0.113.0');
    const probe = new LaneProbe(model);
    const bytes = Buffer.from('{"user":7,"email":"ann@example.org"}');
    probe.sendRaw(bytes);
    expect(probe.letters).toMatchObject([{ reason: 'missing_field', value: new Uint8Array(bytes) }]);
  });

  it('changes the model with its salt, which is not in it', () => {
    const one = compileModel(HASHED, 'm.yaml', folder);
    const other = compileModel(HASHED.replace('file: salt', 'file: other'), 'm.yaml', folder);
    expect(other.hash).not.toBe(one.hash);
    const path = join(folder, 'model.yaml');
    writeFileSync(path, HASHED);
    expect(loadModel(path).hash).toBe(one.hash);
  });

  it.each([
    [
      'without a salt',
      HASHED.replace('mask_salt_file: salt', ''),
      /fields\.email\.mask: needs mask_salt_file/,
    ],
    [
      'with a salt that is not there',
      HASHED.replace('file: salt', 'file: none'),
      /mask_salt_file: can't be read/,
    ],
    ['with a short salt', HASHED.replace('file: salt', 'file: short'), /mask_salt_file: holds 5 bytes/],
    [
      'of a number',
      HASHED.replace('email: { type: string', 'email: { type: number'),
      /fields\.email\.mask: is for strings/,
    ],
    ['as a salt of nothing', HASHED.replace(', mask: hash', ''), /mask_salt_file: is used by no field/],
    ['as a key of networks', HASHED.replace('key: user', 'key: [user, ip]'), /key\.1: ip is no key/],
  ])('is refused %s', (_, text, said) => {
    expect(() => compileModel(text, 'm.yaml', folder)).toThrow(said);
  });
});

describe('a key of several fields', () => {
  const text = modelText(
    'device: { type: string, required: true }\n  n: { type: uint32, required: true }',
    '  who: $key\n',
  );

  it('tells apart whatever its parts hold', () => {
    const model = compileModel(text.replace('key: user', 'key: [user, device, n]'), 'm.yaml');
    const parts = [
      ['a', 'b', 1],
      ['a|b', '', 1],
      ['a', 'b|', 1],
      ['a\\', 'b', 1],
      ['a', '\\b', 4_294_967_295],
      ['', '', 0],
    ] as const;
    const { rows } = rowsOf(
      model,
      parts.map(([user, device, n]) => ({ user, device, n })),
    );
    expect(rows.map(({ who }) => who).sort()).toEqual(
      ['a|b|1', 'a\\|b||1', 'a|b\\||1', 'a\\\\|b|1', 'a|\\\\b|4294967295', '||0'].sort(),
    );
  });

  it('of one number is the number, and of one text the text as it stands', () => {
    const byNumber = compileModel(text.replace('key: user', 'key: n'), 'm.yaml');
    expect(rowsOf(byNumber, [{ device: 'd', n: 4_000_000_000 }]).rows).toMatchObject([{ who: '4000000000' }]);
    const alone = compileModel(text.replace('key: user', 'key: [user]'), 'm.yaml');
    expect(alone.hash).toBe(compileModel(text, 'm.yaml').hash);
    expect(rowsOf(alone, [{ user: 'a|b', device: 'd', n: 1 }]).rows).toMatchObject([{ who: 'a|b' }]);
  });

  it.each([
    ['fields that events may lack', 'key: [user, other]', /key\.1: other is no field/],
    ['times', 'key: [user, at]', /key\.1: at is of type time/],
    ['one field twice', 'key: [user, user]', /key: has a field twice/],
    ['nothing', 'key: []', /key/],
  ])('is refused of %s', (_, key, said) => {
    expect(() => compileModel(text.replace('key: user', key), 'm.yaml')).toThrow(said);
  });
});

describe('repeated events', () => {
  const model = compileModel(
    modelText(
      'id: { type: string }\n  page: { type: string }\n  price: { type: number }',
      '  events: $count\n  total: { op: sum, field: price }\n  pages: { op: list, field: page, limit: 9 }\n  session_end: $session_end\n  entry: { op: first, field: page }\n',
      'deduplicate: id',
    ),
    'm.yaml',
  );

  it('are in no column but the first of them, and those without a value all are', () => {
    const { rows } = rowsOf(model, [
      { id: 'a', page: 'one', price: 1 },
      { id: 'b', page: 'two', price: 2 },
      { id: 'a', page: 'again', price: 4 },
      { page: 'nameless', price: 8 },
      { page: 'nameless', price: 16 },
      { id: 'b', page: 'last', price: 32 },
    ]);
    expect(rows).toMatchObject([
      { events: 4, total: 27, pages: ['one', 'two', 'nameless', 'nameless'], session_end: START_MS + 4 },
    ]);
  });

  it('by event time, whatever the order of arrival; they hold the session together all the same', () => {
    const minute = 60_000;
    const { rows } = rowsOf({ ...model, allowedDisorderMs: 86_400_000 }, [
      { id: 'a', page: 'later', at: START_MS + 25 * minute },
      { id: 'a', page: 'first', at: START_MS },
      { id: 'b', page: 'end', at: START_MS + 50 * minute },
    ]);
    expect(rows).toMatchObject([{ events: 2, entry: 'first', pages: ['first', 'end'] }]);
  });
});
