import { describe, expect, it } from 'vitest';
import { asciiBounds, BOUND_CODE_POINTS_MAX, cutDown, cutUp, utf8Bounds } from '#src/columnar/text-bounds.js';

const LONG = 'a'.repeat(BOUND_CODE_POINTS_MAX);
const all = () => true;

function encoded(strings: readonly string[]) {
  const bytes = strings.map((text) => Buffer.from(text));
  const offsets = new Int32Array(strings.length + 1);
  bytes.forEach((part, i) => {
    offsets[i + 1] = offsets[i]! + part.length;
  });
  return { bytes: new Uint8Array(Buffer.concat(bytes)), offsets };
}

describe('a bound that is too long', () => {
  it('stays as it is up to the limit, counted in code points', () => {
    expect(cutDown(LONG)).toBe(LONG);
    expect(cutUp(LONG)).toBe(LONG);
    const astral = '😀'.repeat(BOUND_CODE_POINTS_MAX);
    expect(cutDown(astral)).toBe(astral);
    expect(cutUp(astral)).toBe(astral);
  });

  it('loses its tail at the bottom and gets its last code point raised at the top', () => {
    expect(cutDown(`${LONG}b`)).toBe(LONG);
    expect(cutUp(`${LONG}b`)).toBe(`${LONG.slice(1)}b`);
  });

  it('is never cut through a surrogate pair', () => {
    expect(cutDown('😀'.repeat(40))).toBe('😀'.repeat(BOUND_CODE_POINTS_MAX));
  });

  it('is raised past the surrogates, which no UTF-8 text can hold', () => {
    expect(cutUp(`${LONG.slice(1)}\ud7ff!`)).toBe(`${LONG.slice(1)}\ue000`);
  });

  it('drops code points that cannot be raised', () => {
    expect(cutUp(`a${'\u{10ffff}'.repeat(40)}`)).toBe('b');
  });

  it('has no top when none of its code points can be raised', () => {
    expect(cutUp('\u{10ffff}'.repeat(40))).toBeNull();
  });
});

describe('the bounds of a column', () => {
  it('are those of the strings that are there', () => {
    const strings = ['', 'b', 'a', 'c', 'zzz'];
    const present = (i: number) => i > 0 && i < 4;
    expect(asciiBounds(strings, present)).toEqual({ min: '"a"', max: '"c"' });
    const { bytes, offsets } = encoded(strings);
    expect(utf8Bounds(bytes, offsets, present)).toEqual({ min: '"a"', max: '"c"' });
  });

  it('are none when nothing is there', () => {
    expect(asciiBounds(['', ''], () => false)).toBeNull();
    expect(asciiBounds([], all)).toBeNull();
    expect(utf8Bounds(new Uint8Array(0), new Int32Array(1), all)).toBeNull();
  });

  it('follow code points where UTF-16 units would order otherwise', () => {
    const { bytes, offsets } = encoded(['\uff5e', '😀']);
    expect(utf8Bounds(bytes, offsets, all)).toEqual({ min: '"\uff5e"', max: '"😀"' });
  });

  it('keep a byte order mark', () => {
    const { bytes, offsets } = encoded(['\ufeffa']);
    expect(utf8Bounds(bytes, offsets, all)?.min).toBe('"\ufeffa"');
  });
});
