import type { Random } from '#src/random.js';

/** A source of randomness with the words that generators are written in. */
export class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Uniform whole number in [0, bound). */
  below(bound: number): number {
    return this.#random.below(bound);
  }

  /** Uniform whole number in [least, most]. */
  between(least: number, most: number): number {
    return least + this.#random.below(most - least + 1);
  }

  /** Uniform in [0, 1). */
  float(): number {
    return this.#random.float();
  }

  chance(probability: number): boolean {
    return this.#random.float() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!;
  }

  /** One of some values, each as often as its weight says. */
  weighted<T>(from: readonly (readonly [weight: number, value: T])[]): T {
    let at = this.#random.float() * from.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of from) {
      at -= weight;
      if (at < 0) return value;
    }
    return from.at(-1)![1];
  }

  /** Up to `most` different ones, in random order. */
  some<T>(from: readonly T[], most: number): T[] {
    return this.shuffled(from).slice(0, most);
  }

  shuffled<T>(from: readonly T[]): T[] {
    const list = [...from];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
