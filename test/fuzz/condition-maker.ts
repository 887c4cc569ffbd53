import type { Dice } from './dice.js';
import type { FieldLine } from './model-maker.js';
import { oddText, PLAIN_TEXTS } from './text-maker.js';

/** Conditions of a model file, of every form; now and then the same one again, as columns of one model often ask. */
export class ConditionMaker {
  readonly #dice: Dice;
  readonly #odd: boolean;
  readonly #byType = new Map<FieldLine['type'], string[]>();
  readonly #made: object[] = [];

  constructor(dice: Dice, fields: Readonly<Record<string, FieldLine>>, odd: boolean) {
    this.#dice = dice;
    this.#odd = odd;
    for (const [name, { type }] of Object.entries(fields)) {
      this.#byType.set(type, [...(this.#byType.get(type) ?? []), name]);
    }
  }

  /** A text field that equals one of some texts. */
  equality(): object {
    return { field: this.#dice.pick(this.#byType.get('string')!), in: this.#texts() };
  }

  any(): object {
    if (this.#made.length > 0 && this.#dice.chance(0.2)) return this.#dice.pick(this.#made);
    const condition = this.#dice.chance(0.4) ? this.equality() : this.#condition(2);
    this.#made.push(condition);
    return condition;
  }

  /** The texts of one condition, at the column itself: not a list. */
  inline(): object {
    const condition = this.any();
    return Array.isArray(condition) ? { where: condition } : condition;
  }

  #condition(depth: number): object {
    const dice = this.#dice;
    if (depth > 0 && dice.chance(0.25)) {
      const parts = Array.from({ length: dice.between(1, 3) }, () => this.#condition(depth - 1));
      if (dice.chance(0.5)) return parts;
      return { ...(dice.chance(0.3) ? this.#test() : {}), any: parts };
    }
    return this.#test();
  }

  #test(): object {
    const dice = this.#dice;
    const numbers = (['number', 'int32', 'uint32'] as const).flatMap((type) => this.#byType.get(type) ?? []);
    const truths = this.#byType.get('boolean') ?? [];
    const texts = this.#byType.get('string')!;
    const askable = [...numbers, ...truths, ...texts];
    return dice.weighted<() => object>([
      [3, () => ({ field: dice.pick(texts), in: this.#texts() })],
      [2, () => ({ field: dice.pick(texts), not_in: this.#texts() })],
      [1, () => ({ field: dice.pick(texts), in: this.#texts(), not_in: this.#texts() })],
      [2, () => ({ field: dice.pick(askable), present: dice.chance(0.5) })],
      [numbers.length === 0 ? 0 : 3, () => ({ field: dice.pick(numbers), ...this.#range() })],
      [truths.length === 0 ? 0 : 2, () => ({ field: dice.pick(truths), is: dice.chance(0.5) })],
    ])();
  }

  #range(): object {
    const dice = this.#dice;
    const bound = () => dice.pick([-3, -1, 0, 0.5, 1, 2, 3, 5, 100, 4_294_967_295]);
    const [min, max] = [bound(), bound()].sort((a, b) => a - b);
    return dice.pick([{ min }, { max }, { min, max }]);
  }

  #texts(): string[] {
    const dice = this.#dice;
    const one = () =>
      (this.#odd && dice.chance(0.3) ? oddText(dice).toWellFormed() : dice.pick(PLAIN_TEXTS)).slice(0, 300) ||
      'x';
    return Array.from({ length: dice.between(1, 4) }, one);
  }
}
