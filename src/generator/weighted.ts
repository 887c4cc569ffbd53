import type { Random } from '../random.js';

/** Items with weights, to be drawn by chance. */
export class Weighted<T> {
  readonly #items: readonly T[];
  readonly #upTo: Float64Array;

  constructor(entries: readonly (readonly [weight: number, item: T])[]) {
    this.#items = entries.map(([, item]) => item);
    this.#upTo = new Float64Array(entries.length);
    let sum = 0;
    for (const [index, [weight]] of entries.entries()) {
      sum += weight;
      this.#upTo[index] = sum;
    }
  }

  draw(random: Random): T {
    const last = this.#upTo.length - 1;
    const at = random.float() * this.#upTo[last]!;
    let index = 0;
    while (index < last && this.#upTo[index]! <= at) index++;
    return this.#items[index]!;
  }
}

/** One of the items, each as likely as the others. */
export function anyOf<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)]!;
}
