/** How long an engine was not ready, and how long it took until it was. */
export interface ReadyFigures {
  notReadySeconds: number;
  /** How often it became ready, the start included. */
  recoveries: number;
  /** The last of them: how long it took, and when it was over (seconds since 1970); null: there was none. */
  lastRecovery: { seconds: number; atSeconds: number } | null;
}

/**
 * Readiness over time, for availability and time to recovery: somebody looks every so often, and between two looks it counts
 * as it was at the first. A process begins by being not ready.
 */
export class ReadyTimes {
  #lookedMs: number;
  #isReady = false;
  /** Since when it is not ready. */
  #sinceMs: number;
  #notReadyMs = 0;
  #recoveries = 0;
  #lastRecovery: ReadyFigures['lastRecovery'] = null;

  /** Monotonic. */
  constructor(nowMs: number) {
    this.#lookedMs = nowMs;
    this.#sinceMs = nowMs;
  }

  /** `nowMs`: monotonic; `atMs`: the same moment by the clock, since 1970. */
  look(isReady: boolean, nowMs: number, atMs: number): void {
    if (!this.#isReady) this.#notReadyMs += nowMs - this.#lookedMs;
    if (isReady && !this.#isReady) {
      this.#recoveries += 1;
      this.#lastRecovery = { seconds: (nowMs - this.#sinceMs) / 1_000, atSeconds: atMs / 1_000 };
    }
    if (!isReady && this.#isReady) this.#sinceMs = nowMs;
    this.#isReady = isReady;
    this.#lookedMs = nowMs;
  }

  get figures(): ReadyFigures {
    return {
      notReadySeconds: this.#notReadyMs / 1_000,
      recoveries: this.#recoveries,
      lastRecovery: this.#lastRecovery,
    };
  }
}
