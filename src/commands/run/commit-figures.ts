import type { Clock } from '../../clock.js';
import type { CommitPlan } from '../../ledger/protocol.js';
import type { CommitFacts } from '../../metrics/facts.js';
import type { WorkerCounters } from '../../telemetry/counters.js';

/** Versions that are remembered for who looks. */
const REMEMBERED = 60;

/** What this engine's commits brought and how long they took: counted once a commit, on the main thread. */
export class CommitFigures {
  readonly #counters: WorkerCounters;
  readonly #clock: Clock;
  #latest: CommitFacts[] = [];

  constructor(counters: WorkerCounters, clock: Clock) {
    this.#counters = counters;
    this.#clock = clock;
  }

  /** The newest last. */
  get latest(): CommitFacts[] {
    return [...this.#latest];
  }

  /** `inLogMs`: what the commit alone took. */
  committed(version: number, plan: CommitPlan, inLogMs: number): void {
    const atMs = this.#clock.nowMs();
    const rows = plan.files.reduce((sum, file) => sum + file.rows, 0);
    this.#counters.add('commits', 1);
    this.#counters.addMs('commitNs', inLogMs);
    this.#counters.add('committedRows', rows);
    for (const { createdAtMs, lanes } of plan.cuts) {
      this.#counters.observe('cutCommitMs', Math.max(0, atMs - createdAtMs));
      for (const { rows, watermarkMs } of lanes) {
        if (rows === 0 || watermarkMs === null) continue;
        this.#counters.observe('closeLagMs', Math.max(0, Math.round(atMs - watermarkMs)), rows);
      }
    }
    this.#latest.push({
      version,
      atMs,
      cuts: plan.cuts.length,
      lanes: plan.lanes.length,
      files: plan.files.length,
      bytes: plan.files.reduce((sum, file) => sum + file.sizeBytes, 0),
      rows,
      deadLetters: plan.cuts.flatMap(({ lanes }) => lanes).reduce((sum, lane) => sum + lane.deadLetters, 0),
      snapshots: plan.snapshots.length,
      tookMs: Math.max(0, atMs - Math.min(atMs, ...plan.cuts.map(({ createdAtMs }) => createdAtMs))),
    });
    if (this.#latest.length > REMEMBERED) this.#latest = this.#latest.slice(-REMEMBERED);
  }
}
