import type { Dice } from './dice.js';

const NUMBERS = ['0', '1', '2', '0.5', '3.25', '10', '1000000', '1e300', '0.1', '2.5'];

/** A formula over some columns, of every form that the language has. */
export function makeFormula(dice: Dice, columns: readonly string[], depth: number): string {
  const part = () => makeFormula(dice, columns, depth - 1);
  if (depth === 0 || dice.chance(0.2)) {
    return columns.length > 0 && dice.chance(0.7) ? dice.pick(columns) : dice.pick(NUMBERS);
  }
  return dice.weighted<() => string>([
    [6, () => `${part()} ${dice.pick(['+', '-', '*', '/'])} ${part()}`],
    [3, () => `(${part()} ${dice.pick(['+', '-', '*', '/'])} ${part()})`],
    [3, () => `(${part()} ${dice.pick(['=', '==', '!=', '<>', '<', '<=', '>', '>='])} ${part()})`],
    [2, () => `(${part()} ${dice.pick(['and', 'or'])} ${part()})`],
    [1, () => `(not ${part()})`],
    [1, () => `-${dice.pick(['', ' '])}(${part()})`],
    [2, () => `${dice.pick(['floor', 'round', 'abs'])}(${part()})`],
    [
      2,
      () =>
        `${dice.pick(['min', 'max'])}(${[part(), part(), part()].slice(0, dice.between(2, 3)).join(', ')})`,
    ],
  ])();
}
