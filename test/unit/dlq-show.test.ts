import fc from 'fast-check';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { eventText, fieldOf, lookAt } from '#src/commands/dlq/event-text.js';
import { letterFilter } from '#src/commands/dlq/filter.js';
import { jsonProblemAt, utf8ProblemAt } from '#src/commands/dlq/json-problem.js';
import { printable, printableBytes } from '#src/commands/dlq/printable.js';
import type { LetterLine } from '#src/ledger/dead-letter-file.js';
import { propertySettings } from '../support/property-seed.js';

const shown = (value: Uint8Array | string | null, detail: string) =>
  eventText(lookAt(value === null ? null : Buffer.from(value)), fieldOf(detail), detail);

describe('where a text stops being JSON', () => {
  it('is nowhere in what JSON.parse takes, and somewhere in what it refuses', () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', ',', '}', '\\', '\u0001', 'x', '0', ' '))
      .map(([text, at, piece]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + piece + text.slice(place + (at % 3));
      });
    fc.assert(
      fc.property(fc.oneof(fc.json(), broken), (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(jsonProblemAt(text) === null, JSON.stringify(text)).toBe(isJson);
      }),
      propertySettings({ numRuns: 3_000 }),
    );
  });

  it.each([
    ['{"a":1,}', 7],
    ['{"a":01}', 6],
    ['{"a":"x', 7],
    ['{"a":1} x', 8],
    ['{"a" 1}', 5],
    ['{"a":"\\q"}', 6],
    ['', 0],
  ])('is shown for %s', (text, at) => expect(jsonProblemAt(text)).toBe(at));

  it('is for bytes the first that is not UTF-8', () => {
    expect(utf8ProblemAt(Buffer.from('日本'))).toBeNull();
    expect(utf8ProblemAt(Buffer.concat([Buffer.from('日本x'), Buffer.of(0xff), Buffer.from('y')]))).toBe(7);
    expect(utf8ProblemAt(Buffer.from('日本').subarray(0, 5))).toBe(5);
    expect(utf8ProblemAt(Buffer.of(0xff))).toBe(0);
  });
});

describe('a letter’s event', () => {
  it('has a mark at the field that was refused, or at what there is of it', () => {
    const event = JSON.stringify({ user: 7, geo: { city: 'X' }, list: [1, 'a'] });
    expect(shown(event, 'user is not of type string')).toBe(
      `{
  "user": 7,   ◀── user is not of type string
  "geo": {
    "city": "X"
  },
  "list": [
    1,
    "a"
  ]
}`,
    );
    expect(shown(event, 'geo.country is missing').split('\n')[2]).toBe(
      '  "geo": {   ◀── geo.country is missing',
    );
    expect(shown(event, 'at is missing').split('\n')[0]).toBe('{   ◀── at is missing');
    expect(shown(event, 'event 4: at is missing').split('\n')[0]).toMatch(/◀── event 4: at is missing/);
    expect(shown(event, '12 ms behind the watermark')).not.toMatch('◀──');
  });

  it('that is no JSON is shown around the place', () => {
    expect(shown('{"a":1,}', 'not JSON')).toBe(`{"a":1,}\n       ▲ character 8: not JSON from here on`);
    expect(shown('{"a":', 'not JSON')).toMatch(/it ends here/);
    expect(shown(Buffer.of(0x7b, 0xff, 0x7d), 'not UTF-8')).toMatch(
      /^00000000 {2}7b ff 7d .*byte 2 is not UTF-8/,
    );
    expect(shown(null, 'no value')).toBe('no value');
  });

  it('is read behind a framing, and from MessagePack', () => {
    const framed = Buffer.concat([Buffer.of(0, 0, 0, 0, 9), Buffer.from('{"a":1}')]);
    expect(lookAt(framed)).toMatchObject({ kind: 'event', event: { a: 1 }, format: /schema 9/ });
    const packed = pack({ a: 1n, at: new Date(0), b: Buffer.of(1) });
    expect(lookAt(packed)).toEqual({
      kind: 'event',
      event: { a: '1', at: '1970-01-01T00:00:00.000Z', b: '0x01' },
      format: 'MessagePack',
    });
  });

  it('can neither steer a terminal nor end the program', () => {
    const evil = JSON.stringify({ a: '\u001b[31m\u009b\u202e' }).replaceAll('\\u001b', '\u001b');
    const unsafe = /(?!\n)[\p{Cc}\u202e]/u;
    expect(shown(evil, 'not JSON')).not.toMatch(unsafe);
    expect(shown(JSON.stringify({ a: '\u009b\u202e' }), 'x is missing')).not.toMatch(unsafe);
    expect(printable('a\u0007b\u2028c', 3)).toBe('a·…');
    expect(printableBytes(Buffer.of(0xff, 0x00), 10)).toBe('0xff00');
    const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expect(shown(deep, 'a is missing')).toMatch('…');
  });
});

describe('a filter of letters', () => {
  const letter = (partition: number, offset: number, reason: string, timestampMs: number): LetterLine => ({
    topic: 't',
    partition,
    offset,
    timestamp_ms: timestampMs,
    reason,
    detail: '',
    key: null,
    value: null,
  });
  const noonMs = Date.parse('2026-01-31T12:00:00Z');
  const letters = [
    letter(0, 1, 'late', noonMs),
    letter(0, 2, 'malformed', noonMs + 1),
    letter(1, 3, 'late', noonMs + 2),
  ];
  const offsets = (flags: Parameters<typeof letterFilter>[0]) =>
    letters.filter(letterFilter(flags)).map(({ offset }) => offset);

  it('takes reasons, partitions, offsets and times, ends included', () => {
    expect(offsets({})).toEqual([1, 2, 3]);
    expect(offsets({ reason: 'late,future' })).toEqual([1, 3]);
    expect(offsets({ partition: '1' })).toEqual([3]);
    expect(offsets({ from: '2', to: '2' })).toEqual([2]);
    expect(offsets({ from: '2026-01-31T12:00:00.001Z' })).toEqual([2, 3]);
    expect(offsets({ to: '2026-01-31T12:00' })).toEqual([1]);
  });

  it('says what is wrong', () => {
    expect(() => letterFilter({ reason: 'mallformed' })).toThrow(/no reason "mallformed"/);
    expect(() => letterFilter({ partition: 'x' })).toThrow(/--partition/);
    expect(() => letterFilter({ from: 'latest' })).toThrow(/--from must be an offset or a time/);
  });
});
