import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { suggest } from '#src/config/suggest.js';
import { formatDuration, formatSize, parseBytes, parseDurationMs } from '#src/config/units.js';

describe('durations and sizes', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    [' 1.5 h ', 5_400_000],
    ['5m', 300_000],
    ['2d', 172_800_000],
    ['1.1s', 1_100],
    ['0s', 0],
  ])('%s is %d ms', (text, value) => {
    expect(parseDurationMs(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['512B', 512],
    ['64KiB', 65_536],
    ['1.5GiB', 1_610_612_736],
    ['0B', 0],
  ])('%s is %d bytes', (text, value) => {
    expect(parseBytes(text)).toEqual({ ok: true, value });
  });

  it.each(['', 's', '-1s', '1s1', '1..5s', '1e3s', '1,5s', '0x10s', '１s', 'constructor', '1constructor'])(
    '%j is no duration',
    (text) => expect(parseDurationMs(text).ok).toBe(false),
  );

  it('a bare number is refused with what it may have meant', () => {
    expect(parseDurationMs(10)).toEqual({ ok: false, message: '10 has no unit: write 10s if you mean that' });
    expect(parseDurationMs('1500')).toEqual({
      ok: false,
      message: '1500 has no unit: write 1500ms if you mean that',
    });
    expect(parseBytes(64)).toEqual({ ok: false, message: '64 has no unit: write 64MiB if you mean that' });
    expect(parseBytes(1_048_576)).toEqual({
      ok: false,
      message: '1048576 has no unit: write 1MiB if you mean that',
    });
  });

  it('what is formatted parses back to the same number', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 50 }), (value) => {
        expect(parseDurationMs(formatDuration(value))).toEqual({ ok: true, value });
        expect(parseBytes(formatSize(value))).toEqual({ ok: true, value });
      }),
    );
  });
});

describe('suggestions', () => {
  const words = ['brokers', 'cut_interval', 'session_timeout', 'rack'];
  it.each([
    ['broker', 'brokers'],
    ['borkers', 'brokers'],
    ['cutInterval', 'cut_interval'],
    ['cut-intervall', 'cut_interval'],
    ['sesion_timout', 'session_timeout'],
    ['frobnicate', undefined],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ])('%s may have meant %s', (word, meant) => {
    expect(suggest(word, words)).toBe(meant);
  });
});
