import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from 'msgpackr';
import { afterAll, describe, expect, it } from 'vitest';
import { excerptOf, KEPT_BACK } from '#src/commands/page/excerpt.js';
import { compileModel } from '#src/model/compile.js';
import { loadModel } from '#src/model/load.js';
import { masked } from '#src/reference/mask.js';

/** What pages may see of records. */
const folder = mkdtempSync(join(tmpdir(), 'headrace-excerpt-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'salt'), 'sixteen bytes at least\n');
const MASKING = compileModel(
  `
name: masks
key: user
time: { field: at, format: epoch_ms }
mask_salt_file: salt
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  who.email: { type: string, mask: hash }
  ip: { type: string, mask: truncate_ip }
columns:
  email: { op: first, field: who.email }
  ip: { op: first, field: ip }
  session_id: $session_id
  session_start: $session_start
  created_at: $cut_time
  batch_id: $batch
  file_id: $file
  closed_by: $closed_by
  revision: $revision
  sign: $sign
`,
  'm.yaml',
  folder,
);
const EMAIL = 'ann@example.com';
const shown = (value: Uint8Array | string | object, model = MASKING) => {
  const bytes =
    value instanceof Uint8Array
      ? value
      : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return excerptOf({ key: Buffer.from(EMAIL), value: bytes }, model, 300);
};

describe('an excerpt', () => {
  it('has what the table has of a masked field, and the key not at all', () => {
    const { key, value } = shown({ user: 'u', who: { email: EMAIL, age: 7 }, ip: '203.0.113.9' });
    expect(key).toBe(KEPT_BACK);
    const hashed = masked(EMAIL, 'hash', MASKING);
    expect(JSON.parse(value!)).toEqual({ user: 'u', who: { email: hashed, age: 7 }, ip: '203.0.113.0' });
  });

  it.each([
    ['a text that is cut off', `{"who":{"email":"${EMAIL}"`],
    ['bytes', Buffer.concat([Buffer.of(0xff), Buffer.from(EMAIL)])],
    ['a list of events', [{ who: { email: EMAIL } }]],
    ['a text alone', JSON.stringify(EMAIL)],
    ['an event whose mask comes twice', `{"ip":"${EMAIL}","ip":"${EMAIL}"}`],
    ['another thing in place of an object', { who: EMAIL }],
    ['a list in place of an object', { who: [EMAIL] }],
    ['a list in place of a text', { who: { email: [EMAIL] } }],
    ['an object in place of a text', { who: { email: { email: EMAIL } } }],
    ['no address', { ip: EMAIL }],
    ['MessagePack', pack({ who: { email: EMAIL } })],
    [
      'what is nested too deeply',
      `{"who":{"email":"${EMAIL}"},"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    ],
  ])('keeps back what is masked in %s', (_, value) => {
    expect(JSON.stringify(shown(value))).not.toContain(EMAIL);
  });

  it('of a model that masks nothing is what came, printable and cut', () => {
    const model = loadModel('clickstream');
    const { key, value } = shown(`{"a":"\u001b[31m${'x'.repeat(1_000)}`, model);
    expect(key).toBe(EMAIL);
    expect(value).toMatch(/^\{"a":"·\[31mx+…$/);
    expect(value).toHaveLength(300);
    expect(shown(Buffer.of(0xff, 1), model).value).toBe('0xff01');
    expect(excerptOf({ key: null, value: null }, model, 300)).toEqual({ key: null, value: null });
  });
});
