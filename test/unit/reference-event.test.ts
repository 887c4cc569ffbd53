import { describe, expect, it } from 'vitest';
import { compileModel } from '#src/model/compile.js';
import { parseEvent } from '#src/reference/event.js';
import { tryParseIso8601, tryParseTime } from '#src/reference/event-time.js';

const model = compileModel(
  `
name: shop
key: user
time: { field: at, format: iso8601 }
max_future: 1h
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  page: { type: string }
  price: { type: number }
  count: { type: uint32 }
  geo.country: { type: string }
  geo.city: { type: string, required: true }
  __proto__.x: { type: string }
  constructor: { type: string }
columns:
  session_id: { op: session_id, template: '{key}:{start_ms}' }
  session_start: { op: session_start }
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`,
  'shop.yaml',
);

const AT = '2026-01-01T00:00:00Z';
const AT_MS = Date.UTC(2026, 0, 1);

function parse(value: string | Uint8Array | null, recordTimestampMs = AT_MS) {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return parseEvent(model, bytes, recordTimestampMs);
}

/** An event's values by field name, or the reason that it has none. */
function fields(extra: string, recordTimestampMs = AT_MS) {
  const parsed = parse(`{"user":"u","at":"${AT}","geo":{"city":"Bern"}${extra}}`, recordTimestampMs);
  if (!parsed.ok) return parsed.reason;
  return Object.fromEntries(model.fields.map((field) => [field.path.join('.'), parsed.values[field.index]]));
}

describe('the bytes of an event', () => {
  it.each([
    ['no value (a tombstone)', null],
    ['an empty value', ''],
    ['a byte order mark', `\uFEFF{"user":"u","at":"${AT}","geo":{"city":"Bern"}}`],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['no JSON', '{"user":'],
    ['two values', '{} {}'],
    ['a list at the top', '[]'],
    ['a string at the top', '"x"'],
    ['null at the top', 'null'],
  ])('with %s are malformed', (_name, value) => {
    expect(parse(value)).toMatchObject({ ok: false, reason: 'malformed' });
  });

  it('are read again after bytes that were not UTF-8', () => {
    expect(parse(Buffer.from([0xc3]))).toMatchObject({ reason: 'malformed' });
    expect(fields('')).toMatchObject({ user: 'u' });
  });

  it('may nest deeper than any stack', () => {
    const deep = 200_000;
    expect(fields(`,"x":${'['.repeat(deep)}${']'.repeat(deep)}`)).toMatchObject({ user: 'u' });
  });
});

describe('the fields of an event', () => {
  it('that are missing or null are null unless required', () => {
    expect(fields(',"page":null')).toMatchObject({ page: null, price: null, 'geo.country': null });
    expect(parse(`{"user":null,"at":"${AT}","geo":{"city":"x"}}`)).toEqual({
      ok: false,
      reason: 'missing_field',
      detail: 'user is missing',
    });
    expect(parse(`{"user":"u","at":"${AT}","geo":null}`)).toMatchObject({ reason: 'missing_field' });
    expect(parse(`{"user":"u","at":"${AT}"}`)).toMatchObject({ detail: 'geo.city is missing' });
  });

  it('of another type are wrong, also optional ones', () => {
    for (const extra of [
      '"page":1',
      '"page":{}',
      '"page":true',
      '"price":"1"',
      '"price":1e999',
      '"count":-1',
      '"count":1.5',
      '"count":4294967296',
      '"count":"1"',
    ]) {
      expect(fields(`,${extra}`), extra).toBe('wrong_type');
    }
  });

  it('below a parent that is no object are wrong', () => {
    for (const geo of ['"x"', '1', 'true', '[]', '[{"city":"x"}]']) {
      expect(parse(`{"user":"u","at":"${AT}","geo":${geo}}`), geo).toMatchObject({ reason: 'wrong_type' });
    }
  });

  it('are own properties only, whatever they are called', () => {
    expect(fields('')).toMatchObject({ constructor: null, '__proto__.x': null });
    expect(fields(',"__proto__":{"x":"y"},"constructor":"z"')).toMatchObject({
      constructor: 'z',
      '__proto__.x': 'y',
    });
    expect(parse(`{"__proto__":{"user":"u"},"at":"${AT}","geo":{"city":"x"}}`)).toMatchObject({
      reason: 'missing_field',
    });
  });

  it('take the last of keys that come twice, containers too', () => {
    expect(fields(',"page":"a","page":"b","geo":{"city":"Rome"}')).toMatchObject({
      page: 'b',
      'geo.city': 'Rome',
    });
    expect(fields(',"geo":{}')).toBe('missing_field');
  });

  it('have a replacement character for each lone surrogate', () => {
    expect(fields(String.raw`,"page":"a\ud800b\udc00\ud83d\ude00"`)).toMatchObject({
      page: 'a\uFFFDb\uFFFD\u{1F600}',
    });
  });

  it('hold whole numbers in any spelling, and no negative zero', () => {
    expect(fields(',"count":4294967295')).toMatchObject({ count: 4294967295 });
    expect(fields(',"count":1.0e1')).toMatchObject({ count: 10 });
    expect(fields(',"count":-0,"price":-0.0')).toMatchObject({ count: 0, price: 0 });
  });
});

describe('an event from the future', () => {
  it('is one more than max_future ahead of its record', () => {
    expect(fields('', AT_MS - 3_600_000)).toMatchObject({ user: 'u' });
    expect(fields('', AT_MS - 3_600_001)).toBe('future');
  });

  it('cannot be told where the record has no timestamp', () => {
    expect(fields('', -1)).toMatchObject({ user: 'u' });
  });
});

describe('ISO 8601 times', () => {
  const ms = (...parts: [number, number, number, number?, number?, number?, number?]) =>
    Date.UTC(parts[0], parts[1] - 1, ...parts.slice(2));

  it.each([
    ['2026-01-31T12:30:59Z', ms(2026, 1, 31, 12, 30, 59)],
    ['2026-01-31T12:30:59', ms(2026, 1, 31, 12, 30, 59)],
    ['2026-01-31T12:30:59.1Z', ms(2026, 1, 31, 12, 30, 59, 100)],
    ['2026-01-31T12:30:59.12', ms(2026, 1, 31, 12, 30, 59, 120)],
    ['2026-01-31T12:30:59.999999999Z', ms(2026, 1, 31, 12, 30, 59, 999)],
    ['2026-01-31T12:30:59.0009Z', ms(2026, 1, 31, 12, 30, 59, 0)],
    ['2026-01-31T12:30:59+05:30', ms(2026, 1, 31, 7, 0, 59)],
    ['2026-01-31T23:30:59-01:00', ms(2026, 2, 1, 0, 30, 59)],
    ['2024-02-29T00:00:00Z', ms(2024, 2, 29)],
    ['2000-02-29T00:00:00Z', ms(2000, 2, 29)],
    ['1970-01-01T00:00:00Z', 0],
    ['1969-12-31T23:30:00-01:00', 1_800_000],
    ['2262-12-31T23:59:59.999Z', ms(2262, 12, 31, 23, 59, 59, 999)],
  ])('%s is %d', (text, expected) => {
    expect(tryParseIso8601(text)).toBe(expected);
  });

  it.each([
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-12-31T23:59:60Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567890Z',
    '2026-01-01T00:00:00+0100',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
    '2026-01-01 00:00:00',
    '2026-01-01t00:00:00z',
    '2026-01-01T00:00Z',
    '2026-01-01',
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00+00:01',
    '2263-01-01T00:00:00Z',
    '0070-01-01T00:00:00Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '２026-01-01T00:00:00Z',
    '',
  ])('%j has no time', (text) => {
    expect(tryParseIso8601(text)).toBeNull();
  });
});

describe('epoch times', () => {
  it('are numbers in the unit that the model names, cut to milliseconds', () => {
    expect(tryParseTime(1_700_000_000_123.9, 'epoch_ms')).toBe(1_700_000_000_123);
    expect(tryParseTime(1_700_000_000, 'epoch_s')).toBe(1_700_000_000_000);
    expect(tryParseTime(1_700_000_000.123, 'epoch_s')).toBe(1_700_000_000_123);
    expect(tryParseTime(1_700_000_000.1239, 'epoch_s')).toBe(1_700_000_000_123);
  });

  it('are never guessed: another type or range has no time', () => {
    for (const value of ['1700000000', true, {}, -1, -0.5, 1e300, 10_000_000_000_000]) {
      expect(tryParseTime(value, 'epoch_ms'), String(value)).toBeNull();
    }
    expect(tryParseTime(AT, 'epoch_ms')).toBeNull();
    expect(tryParseTime(1_700_000_000, 'iso8601')).toBeNull();
  });
});
