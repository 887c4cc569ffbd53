import type { Clock } from '../clock.js';
import type { Ledger } from '../ledger/ledger.js';

/**
 * Who has nothing to commit reads nothing either. An engine that stood still may have committed a lane of ours before it knew that
 * the lane is ours now: what it let out has to reach the followers, and our state is to be built on it.
 */
export class LedgerWatch {
  readonly #ledger: Pick<Ledger, 'refresh'>;
  readonly #clock: Clock;
  readonly #onFatal: (error: unknown) => void;
  /** When others' versions were last looked for, monotonic ms. */
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(options: { ledger: Pick<Ledger, 'refresh'>; clock: Clock; onFatal(error: unknown): void }) {
    this.#ledger = options.ledger;
    this.#clock = options.clock;
    this.#onFatal = options.onFatal;
  }

  /** Nothing is to be cut: looks every few seconds whether others have committed. */
  idle(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    this.#ledger.refresh().catch((error: unknown) => this.#onFatal(error));
  }
}

const LOOK_MS = 5_000;
