import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerEye } from './ledger-eye.js';
import type { OracleRow } from './oracle.js';
import type { SpineTopic } from './spine-topic.js';

/**
 * How a topic's second half comes: a chunk now and then, up to a share of it, and no more than a little ahead of what is
 * committed. So a scenario has events for as many versions on a slow machine as on a quick one.
 */

export const CHUNK_EVENTS = 25;
const AHEAD_EVENTS_MAX = 250;
const SELDOM_MS = 5_000;

export class SpineFlow {
  readonly #spine: Pick<SpineTopic<OracleRow>, 'produced' | 'produceSecondHalf' | 'events'>;
  readonly #ledger: LedgerEye;
  readonly #paceMs: number;
  readonly #isWanted: () => boolean;
  #share = 1;
  #fedMs = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  #done: Promise<void> = Promise.resolve();

  /** `isWanted`: whether more may come, beside what else holds. */
  constructor(
    spine: Pick<SpineTopic<OracleRow>, 'produced' | 'produceSecondHalf' | 'events'>,
    ledger: LedgerEye,
    { paceMs = 50, isWanted = (): boolean => true } = {},
  ) {
    this.#spine = spine;
    this.#ledger = ledger;
    this.#paceMs = paceMs;
    this.#isWanted = isWanted;
  }

  /** `share`: how much of it may come, until `allow` says more. */
  start(share = 1): void {
    this.#share = share;
    this.#done = this.#spine.produceSecondHalf((sent) => this.#chunk(sent), CHUNK_EVENTS);
    // what a failure leaves of it ends with the topic
    this.#done.catch(() => undefined);
  }

  allow(share: number): void {
    this.#share = Math.max(this.#share, share);
  }

  /**
   * One chunk more, when all that has come is committed: nobody else looks while no more may come. Beyond `upTo` seldom: what is there
   * is for others, too.
   */
  async feed(upTo = 1): Promise<void> {
    await this.#ledger.refresh();
    const isEaten = this.#spine.produced - this.#ledger.events <= CHUNK_EVENTS;
    const nowMs = performance.now();
    if (!isEaten || (this.#share >= upTo && nowMs - this.#fedMs < SELDOM_MS)) return;
    this.#fedMs = nowMs;
    this.allow(Math.min(1, this.#share + (2 * CHUNK_EVENTS) / this.#spine.events));
  }

  /** All the rest, at once. */
  async finish(): Promise<void> {
    this.#isOpen = true;
    await this.#done;
  }

  async #chunk(sent: number): Promise<void> {
    if (!this.#isOpen) await sleep(this.#paceMs);
    while (!(this.#isOpen || (sent <= this.#share && this.#isWanted() && (await this.#isEaten()))))
      await sleep(20);
  }

  async #isEaten(): Promise<boolean> {
    await this.#ledger.refresh();
    return this.#spine.produced - this.#ledger.events <= AHEAD_EVENTS_MAX;
  }
}
