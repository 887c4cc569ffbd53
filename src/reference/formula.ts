import type { Formula } from '../model/types.js';

/**
 * The value of a formula, NaN for null. Whatever is given a NaN gives one; a truth is 1 or 0, and what is not 0 is true.
 * Numbers are doubles, so that every engine comes to the same one.
 */
export function evaluate(formula: Formula, columnValue: (column: number) => number): number {
  if ('number' in formula) return formula.number;
  if ('column' in formula) return columnValue(formula.column);
  const values = formula.of.map((each) => evaluate(each, columnValue));
  if (values.some(Number.isNaN)) return Number.NaN;
  const [a, b] = values as [number, number];
  switch (formula.call) {
    case 'add':
      return a + b;
    case 'subtract':
      return a - b;
    case 'multiply':
      return a * b;
    case 'divide':
      return b === 0 ? Number.NaN : a / b;
    case 'negate':
      return -a;
    case 'equal':
      return Number(a === b);
    case 'unequal':
      return Number(a !== b);
    case 'below':
      return Number(a < b);
    case 'at_most':
      return Number(a <= b);
    case 'and':
      return Number(a !== 0 && b !== 0);
    case 'or':
      return Number(a !== 0 || b !== 0);
    case 'not':
      return Number(a === 0);
    case 'floor':
      return Math.floor(a);
    case 'round':
      return roundHalfUp(a);
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'abs':
      return Math.abs(a);
  }
}

/** To the nearest whole number; of two the one above. */
export function roundHalfUp(value: number): number {
  const below = Math.floor(value);
  return value - below >= 0.5 ? below + 1 : below;
}
