import { describe, expect, it } from 'vitest';
import type { Add } from '#src/lake/delta/actions.js';
import { type CellColumn, cellType } from '#src/lake/reading/cell.js';
import { parseCell, partitionCell } from '#src/lake/reading/partition-value.js';
import { parseWhere } from '#src/lake/reading/where.js';

const column = (name: string, type: string, isPartition = false): CellColumn => ({
  name,
  type: cellType(type),
  nullable: true,
  isPartition,
});
const COLUMNS = [
  column('s', 'string'),
  column('n', 'integer'),
  column('big', 'long'),
  column('t', 'timestamp'),
  column('d', 'date', true),
  column('dec', 'decimal(10,2)'),
  column('odd name', 'string', true),
  column('f', 'double'),
];

function fileOf(stats: object | null, partitionValues: Record<string, string | null> = {}): Add {
  const file = { path: 'p', partitionValues, size: 1, modificationTime: 0, dataChange: true };
  return stats === null ? file : { ...file, stats: JSON.stringify(stats) };
}

describe('a condition', () => {
  it.each([
    ['n=5', [5], [4, null]],
    ['n != 5', [4], [5, null]],
    ['n<>5', [4], [5, null]],
    ['n >= -5', [-5, 0], [-6, null]],
    ['s = a=b', ['a=b'], ['a']],
    ["s='x y'", ['x y'], ["'x y'"]],
    ['s > Z', ['a', 'Z1', '\u{1F600}', '\uFFFD'], ['Z', 'A']],
    ['s is null', [null], ['', 'a']],
    ['s IS NOT NULL', ['', 'a'], [null]],
    ['big = 9223372036854775807', [2n ** 63n - 1n], [2n ** 63n - 2n]],
    ['t < 2026-01-31', [1_769_817_599_999_999n], [1_769_817_600_000_000n]],
    ['t = 2026-01-31T01:00:00.000001+01:00', [1_769_817_600_000_001n], [1_769_817_600_000_000n]],
    ['dec > 9.5', ['10.00', '9.51'], ['9.50', '-10.00']],
    ['f < 0', [-0.5, -Infinity], [0, Number.NaN]],
    ['"odd name" = x', ['x'], ['y']],
  ] as const)('%s', (text, holds, fails) => {
    const condition = parseWhere(text, COLUMNS);
    expect(holds.map((cell) => condition.holds(cell))).toEqual(holds.map(() => true));
    expect(fails.map((cell) => condition.holds(cell))).toEqual(fails.map(() => false));
  });

  it.each([
    ['n', /--where must be like/],
    ['m=5', /no column "m"/],
    ['n=five', /"five" is no integer, as n is/],
    ['d=2026-02-31', /is no date/],
    ['t=noon', /is no timestamp/],
  ])('%j is refused', (text, says) => {
    expect(() => parseWhere(text, COLUMNS)).toThrow(says);
  });

  it('of texts compares UTF-8 bytes: U+FFFD is before U+1F600, in UTF-16 units it is behind it', () => {
    expect(parseWhere('s < \u{1F600}', COLUMNS).holds('\uFFFD')).toBe(true);
  });
});

describe('a file is passed over', () => {
  const stats = {
    numRecords: 10,
    minValues: { n: 5, s: 'b', big: 2 ** 53 - 1, t: '2026-01-31T00:00:00.000Z' },
    maxValues: { n: 7, s: 'd', t: '2026-01-31T00:00:00.123Z' },
    nullCount: { n: 0, s: 10 },
  };
  it.each([
    ['n=4', false],
    ['n=5', true],
    ['n>7', false],
    ['n>=7', true],
    ['n<5', false],
    ['n != 5', true],
    ['s=a', false],
    ['n is null', false],
    ['s is not null', false],
    ['s is null', true],
    ['t > 2026-01-31T00:00:00.1239985', true],
    ['t >= 2026-01-31T00:00:00.124', false],
    ['big < 5', false],
    ['big > 9007199254740993', true],
    ['f > 1', true],
  ])('when its statistics rule %s out: %s', (text, mayHold) => {
    expect(parseWhere(text, COLUMNS).mayHold(fileOf(stats))).toBe(mayHold);
  });

  it('not by bounds that JSON has rounded, nor without statistics, nor by damaged ones', () => {
    const rounded = { numRecords: 1, minValues: { big: 2 ** 60 }, maxValues: { big: 2 ** 60 } };
    const condition = parseWhere('big = 1', COLUMNS);
    expect([fileOf(rounded), fileOf(null), { ...fileOf(null), stats: '{' }].map(condition.mayHold)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('by its partition', () => {
    const file = fileOf(null, { d: '2026-01-31', 'odd name': null });
    const holds = (text: string) => parseWhere(text, COLUMNS).mayHold(file);
    expect(['d=2026-01-31', 'd>=2026-01-31', 'd>2026-01-31', 'd is null'].map(holds)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(['"odd name" is null', '"odd name" = x'].map(holds)).toEqual([true, false]);
  });
});

describe('a partition’s value', () => {
  it.each([
    ['string', 'ü/ö a%20b', 'ü/ö a%20b'],
    ['string', '', null],
    ['string', null, null],
    ['integer', '-7', -7],
    ['long', '9007199254740993', 2n ** 53n + 1n],
    ['double', '2', 2],
    ['double', '-Infinity', -Infinity],
    ['boolean', 'true', true],
    ['date', '1960-01-01', -3653],
    ['timestamp', '2026-01-31 12:00:00.123456', 1_769_860_800_123_456n],
    ['timestamp', '2026-01-31T12:00:00.123456Z', 1_769_860_800_123_456n],
    ['timestamp', '1969-12-31 23:59:59.5', -500_000n],
    ['decimal(10,2)', '-3.5', '-3.50'],
    ['decimal(10,2)', '-0', '0.00'],
    ['decimal(5,0)', '0012', '12'],
  ])('%s %j is read', (type, text, cell) => {
    expect(partitionCell(cellType(type), text)).toEqual(cell);
  });

  it('that is none of its type is refused', () => {
    expect(() => partitionCell(cellType('date'), '31.1.2026')).toThrow(/is no date/);
    expect(parseCell(cellType('decimal(10,2)'), '1.005')).toBeUndefined();
  });
});
