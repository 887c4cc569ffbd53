import type { EngineFacts, WorkerFacts } from './facts.js';

/**
 * Does every worker get on? One has stopped that has something before it and has not moved for so long: neither events nor cuts,
 * seals or snapshots. Who waits for brokers, a store or ClickHouse has nothing before it, and is not stopped: a restart would
 * not help. Facts in, judgement out.
 */
export class ProgressJudge {
  readonly #limitMs: number;
  /** By worker: what it had done when it last moved, and when that was, monotonic. */
  readonly #moved = new Map<number, { done: string; atMs: number }>();

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** The workers that have stopped; `nowMs`: monotonic. */
  stopped({ workers }: Pick<EngineFacts, 'workers'>, nowMs: number): number[] {
    return workers.filter((worker) => this.#hasStopped(worker, nowMs)).map(({ worker }) => worker);
  }

  #hasStopped(worker: WorkerFacts, nowMs: number): boolean {
    const done = doneBy(worker);
    const last = this.#moved.get(worker.worker);
    if (worker.ringUsedBytes === 0 || last?.done !== done) {
      this.#moved.set(worker.worker, { done, atMs: nowMs });
      return false;
    }
    return nowMs - last.atMs >= this.#limitMs;
  }
}

function doneBy({ counters, ringUsedBytes }: WorkerFacts): string {
  const { events, batches, cuts, files, sealNs, snapshotNs, busyNs } = counters;
  return [ringUsedBytes, events, batches, cuts, files, sealNs, snapshotNs, busyNs].join(' ');
}
