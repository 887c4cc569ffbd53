import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFormula } from '#src/model/formula.js';
import { fitted } from '#src/reference/fit.js';
import { evaluate } from '#src/reference/formula.js';
import { propertySettings } from '../support/property-seed.js';

/** Formulas as people read them, and numbers in the types of columns. */

const COLUMNS: Readonly<Record<string, number>> = { a: 7, b: 2, zero: 0, half: 0.5, none: Number.NaN };
const NAMES = Object.keys(COLUMNS);

function valueOfText(text: string): number | null {
  const parsed = parseFormula(text, (name) => (NAMES.includes(name) ? NAMES.indexOf(name) : `no ${name}`));
  if (!parsed.ok) throw new Error(parsed.message);
  const value = evaluate(parsed.formula, (column) => COLUMNS[NAMES[column]!]!);
  return Number.isNaN(value) ? null : value;
}

describe('a formula', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['10 - 4 - 3', 3],
    ['24 / 4 / 2', 3],
    ['2 - -3', 5],
    ['--2', 2],
    ['-a + b', -5],
    ['- a * b', -14],
    ['a / b', 3.5],
    ['a > b', 1],
    ['a >= 7 and b <= 2', 1],
    ['a < b or a != b', 1],
    ['a <> 7', 0],
    ['a == 7', 1],
    ['not a = 7', 0],
    ['not zero and zero', 0],
    ['not (zero and zero)', 1],
    ['zero or a and zero', 0],
    ['(zero or a) and 1', 1],
    ['a - 1 > b + 3', 1],
    ['1 + (a > b)', 2],
    ['min(a, b, 3) + max(a, b)', 9],
    ['floor(-half)', -1],
    ['round(half)', 1],
    ['round(-half)', 0],
    ['round(2.5) + round(-2.5)', 1],
    ['abs(b - a)', 5],
    ['1e3 + 1.5E-1', 1_000.15],
    ['a/b*b', 7],
    ['a / zero', null],
    ['zero / zero', null],
    ['none + 1', null],
    ['none or 1', null],
    ['not none', null],
    ['max(none, 1)', null],
    ['1e308 * 10 - 1e308 * 10', null],
  ])('%s is %s', (text, value) => {
    const found = valueOfText(text);
    // zero has a sign until the column takes it
    expect(found === null ? null : found + 0).toBe(value);
  });

  it('says what JavaScript says of the same words, for any tree of them', () => {
    const leaf = fc.constantFrom('a', 'b', 'zero', 'half', '3', '0.25');
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc.tuple(tie('tree'), fc.constantFrom('+', '-', '*'), tie('tree')).map((parts) => parts.join(' ')),
        tie('tree').map((inner) => `(${inner})`),
        tie('tree').map((inner) => `- (${inner})`),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `max(${a}, ${b})`),
        fc
          .tuple(tie('tree'), fc.constantFrom('<', '<=', '>', '>='), tie('tree'))
          .map(([a, op, b]) => `((${a}) ${op} (${b}))`),
      ),
    }));
    fc.assert(
      fc.property(tree, (text) => {
        const words = text.replaceAll('max', 'Math.max');
        const code = `const { ${NAMES.join(', ')} } = columns; return Number(${words});`;
        const expected = new Function('columns', code)(COLUMNS) as number;
        expect(valueOfText(text)! + 0).toBe(expected + 0);
      }),
      propertySettings({ numRuns: 300 }),
    );
  });
});

describe('a number in its column', () => {
  it.each([
    [1.4, 'int8', 1, false],
    [1.5, 'uint8', 2, false],
    [-1.5, 'int8', -1, false],
    [-0.4, 'uint16', 0, false],
    [-1, 'uint16', 0, true],
    [127.6, 'int8', 127, true],
    [-129, 'int8', -128, true],
    [32_768, 'int16', 32_767, true],
    [256, 'uint8', 255, true],
    [-2_147_483_649, 'int32', -2_147_483_648, true],
    [4_294_967_296, 'uint32', 4_294_967_295, true],
    [2 ** 53, 'int64', 2n ** 53n, false],
    [2 ** 63, 'int64', 2n ** 63n - 1n, true],
    [2 ** 64, 'uint64', 2n ** 63n - 1n, true],
    [-(2 ** 63), 'int64', -(2n ** 63n), false],
    [-(2 ** 64), 'int64', -(2n ** 63n), true],
    [-1, 'uint64', 0n, true],
    [Infinity, 'float', Number.MAX_VALUE, true],
    [-Infinity, 'uint8', 0, true],
    [-0, 'float', 0, false],
    [0.1, 'bool', true, false],
    [0, 'bool', false, false],
  ] as const)('%s as %s is %s, clamped: %s', (value, type, kept, clamped) => {
    expect(fitted(value, type)).toEqual({ value: kept, clamped });
  });
});
