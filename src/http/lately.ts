import type { Clock } from '../clock.js';

/**
 * Answers that are given again for a while: what pages ask costs the same whether one is open or many. Who asks while an answer is
 * being made waits for that one. Only the newest of so many keys are kept.
 */
export class Lately<T> {
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #keysMax: number;
  readonly #answers = new Map<string, { answer: Promise<T>; madeMs: number | null }>();

  constructor({ clock, keepMs, keysMax }: { clock: Clock; keepMs: number; keysMax: number }) {
    this.#clock = clock;
    this.#keepMs = keepMs;
    this.#keysMax = keysMax;
  }

  /** What `make` rejects with is not kept. */
  ask(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined && !this.#isOld(known.madeMs)) return known.answer;
    const entry = { answer: make(), madeMs: null as number | null };
    this.#answers.delete(key);
    this.#answers.set(key, entry);
    if (this.#answers.size > this.#keysMax) this.#answers.delete(this.#answers.keys().next().value!);
    entry.answer.then(
      () => {
        entry.madeMs = this.#clock.monotonicMs();
      },
      () => {
        if (this.#answers.get(key) === entry) this.#answers.delete(key);
      },
    );
    return entry.answer;
  }

  #isOld(madeMs: number | null): boolean {
    return madeMs !== null && this.#clock.monotonicMs() - madeMs >= this.#keepMs;
  }
}
