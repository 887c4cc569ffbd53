import type { Clock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import type { Random } from '../../random.js';

/** How much of what comes is shown. */
export interface ShareOptions {
  /** Of a hundred, which are looked at; null: all. */
  percent: number | null;
  /** The most that are shown in a second; null: all. */
  perSecond: number | null;
  /** The most that are shown at all; null: all. */
  limit: number | null;
}

const SECOND_MS = 1_000;

export class Share {
  readonly #options: ShareOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  #secondFromMs = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  /** Those that were shown, and those that the rate had no room for. */
  shown = 0;
  passedOver = 0;

  constructor(options: ShareOptions, clock: Clock, random: Random) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  /** The limit is reached. */
  get isEnough(): boolean {
    return this.#options.limit !== null && this.shown >= this.#options.limit;
  }

  /** Asked once of each, before it is looked at: chance decides. */
  isChosen(): boolean {
    const { percent } = this.#options;
    return percent === null || this.#random.float() * 100 < percent;
  }

  /** Asked once of each that would be shown, which then is, or never. */
  hasRoom(): boolean {
    if (this.isEnough) return false;
    const { perSecond } = this.#options;
    if (perSecond !== null) {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - this.#secondFromMs >= SECOND_MS) {
        this.#secondFromMs = nowMs;
        this.#inSecond = 0;
      }
      if (this.#inSecond >= perSecond) {
        this.passedOver++;
        return false;
      }
      this.#inSecond++;
    }
    this.shown++;
    return true;
  }
}

/** `1%`, `0.5%`. Throws HeadraceError USAGE. */
export function parsePercent(text: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,6})?)\s*%$/.exec(text.trim());
  const percent = Number(match?.[1]);
  if (match !== null && percent > 0 && percent <= 100) return percent;
  const bare = /^\d+(\.\d+)?$/.test(text.trim()) ? `; write ${text.trim()}% if you mean that` : '';
  throw new HeadraceError(
    'USAGE',
    `--sample must be a part of a hundred such as 1%, not ${JSON.stringify(text)}${bare}`,
  );
}
