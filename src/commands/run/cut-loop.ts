import type { Clock } from '../../clock.js';
import type { LaneManager } from '../../lanes/manager.js';
import type { SnapshotRequests } from '../../lanes/snapshot-requests.js';
import type { Coordinator } from '../../ledger/coordinator.js';
import type { RingWriter } from '../../ring/writer.js';

export interface CutLoopOptions {
  clock: Clock;
  intervalMs: number;
  cutsInFlightMax: number;
  rings: readonly Pick<RingWriter, 'holdData'>[];
  coordinator: Pick<Coordinator, 'cutsInFlight'>;
  manager: Pick<LaneManager, 'cutLive'>;
  requests: Pick<SnapshotRequests, 'look'>;
  stop: AbortSignal;
  onError(error: unknown): void;
}

/** A cut each interval, and when lanes are back. Too many under way: data waits until the oldest is done, commands pass. */
export class CutLoop {
  readonly #options: CutLoopOptions;
  #wake = () => {};
  #cutting: Promise<void> = Promise.resolve();

  constructor(options: CutLoopOptions) {
    this.#options = options;
  }

  /** The next cut is due now. */
  ring(): void {
    this.#wake();
  }

  /** Resolves when the cut that is under way is done. */
  get settled(): Promise<void> {
    return this.#cutting;
  }

  /** Never resolves: it ends with the engine. */
  async run(): Promise<never> {
    const { stop, requests, rings, coordinator, cutsInFlightMax } = this.#options;
    while (!stop.aborted) {
      await this.#interval();
      if (stop.aborted) break;
      const full = coordinator.cutsInFlight >= cutsInFlightMax;
      for (const ring of rings) ring.holdData(full);
      requests.look();
      if (full) continue;
      const cut = this.#options.manager.cutLive();
      if (cut !== null) this.#cutting = cut.catch((error: unknown) => this.#options.onError(error));
    }
    return await new Promise<never>(() => {});
  }

  async #interval(): Promise<void> {
    const { clock, intervalMs, stop } = this.#options;
    const rung = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([clock.sleep(intervalMs, stop), rung]);
  }
}
