import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import { newCutId } from './cut-id.js';
import type { Ledger } from './ledger.js';
import { type CommitPlan, type HeldLane, planCommit, type SealedCut } from './protocol.js';
import type { CutCommand, CutLane, SealedReport } from './types.js';

/**
 * Cuts and their commits. A cut is sent to the workers, collects one report from each, and is committed in its order with
 * all the cuts that are sealed behind it. What is decided is in protocol.ts; this file only carries it out.
 */
export interface CoordinatorOptions {
  ledger: Ledger;
  clock: Clock;
  random: Random;
  /** A lane that moved is committed at least this often, rows or not (rule 4). */
  idleCommitMs: number;
  /** The lanes whose seals count, as of now. */
  held(): ReadonlyMap<number, HeldLane>;
  /** Hands the cut to the workers of its lanes; returns which will report. */
  sendCut(command: CutCommand): number[];
  /** `tookMs`: in the table's log, lost races included. */
  onCommitted(version: number, plan: CommitPlan, tookMs: number): void;
  /** Lanes that lost a file and must recover. */
  onResets(partitions: number[]): void;
  onFatal(error: unknown): void;
}

interface Cut extends SealedCut {
  reports: SealedReport[];
  waitingFor: Set<number>;
  done(): void;
  settled: Promise<void>;
}

export class Coordinator {
  readonly #options: CoordinatorOptions;
  #inFlight: Cut[] = [];
  #pumping = false;
  /** A commit that can't be planned or written can't be by trying again; the engine is about to end. */
  #failed = false;
  #lastId = 0n;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  get cutsInFlight(): number {
    return this.#inFlight.length;
  }

  /** Cuts these lanes. Resolves when the cut is committed, or needed no commit, or is void. */
  async cut(lanes: CutLane[]): Promise<void> {
    const { clock } = this.#options;
    const id = this.newCutId();
    const createdAtMs = clock.nowMs();
    let done = () => {};
    const settled = new Promise<void>((resolve) => {
      done = resolve;
    });
    const cut: Cut = { id, createdAtMs, reports: [], waitingFor: new Set(), done, settled };
    this.#inFlight.push(cut);
    for (const worker of this.#options.sendCut({ cutId: id, createdAtMs, lanes })) cut.waitingFor.add(worker);
    this.#pump();
    await settled;
  }

  /** A worker's report. Those of unknown cuts are void. */
  sealed(report: SealedReport): void {
    const cut = this.#inFlight.find((each) => each.id === report.cutId);
    if (cut?.waitingFor.delete(report.worker)) cut.reports.push(report);
    this.#pump();
  }

  /** Resolves when the cuts that are under way now are done; the engine may begin others meanwhile. */
  async idle(): Promise<void> {
    await this.#inFlight.at(-1)?.settled;
  }

  /**
   * The first commit of lanes that the ledger does not know (T0): where they start, before their first event is read
   * (rule 5). Lanes that another engine started meanwhile are left as they are.
   */
  async startLanes(starts: readonly { partition: number; offset: bigint }[]): Promise<void> {
    const { ledger, clock } = this.#options;
    const id = this.newCutId();
    await ledger.commit(() => {
      const unknown = starts.filter((start) => ledger.lane(start.partition) === undefined);
      if (unknown.length === 0) return null;
      const lanes = unknown.map(({ partition, offset }) => ({
        partition,
        from: Number(offset),
        to: Number(offset),
        watermarkMs: null,
        marks: {},
        rows: 0,
        deadLetters: 0,
        crc: 0,
        parent: -1,
        start: true as const,
      }));
      return {
        files: [],
        lanes: unknown.map(({ partition, offset }) => ({ partition, to: offset })),
        cuts: [{ id, createdAtMs: clock.nowMs(), lanes, deadLetterFiles: [] }],
      };
    });
  }

  /** Ids that grow with time; never the same twice in a process. */
  newCutId(): string {
    const { clock, random } = this.#options;
    let id = newCutId(clock, random);
    if (id <= this.#lastId) id = this.#lastId + 1n;
    this.#lastId = id;
    return id.toString();
  }

  #pump(): void {
    if (this.#pumping || this.#failed || !this.#headIsSealed()) return;
    this.#pumping = true;
    this.#commitSealed()
      .catch((error: unknown) => {
        this.#failed = true;
        this.#options.onFatal(error);
      })
      .finally(() => {
        this.#pumping = false;
        this.#pump();
      });
  }

  #headIsSealed(): boolean {
    const head = this.#inFlight[0];
    return head !== undefined && head.waitingFor.size === 0;
  }

  async #commitSealed(): Promise<void> {
    const { ledger, clock, held, idleCommitMs } = this.#options;
    const until = this.#inFlight.findIndex((cut) => cut.waitingFor.size > 0);
    const cuts = until < 0 ? this.#inFlight.slice() : this.#inFlight.slice(0, until);
    let resets: number[] = [];
    const beganMs = clock.monotonicMs();
    const committed = await ledger.commit(() => {
      const plan = planCommit(cuts, held(), clock.monotonicMs(), idleCommitMs);
      resets = plan.resets;
      return 'cuts' in plan ? plan : null;
    });
    this.#inFlight = this.#inFlight.slice(cuts.length);
    if (committed !== null) {
      this.#options.onCommitted(committed.version, committed.draft, clock.monotonicMs() - beganMs);
    }
    if (resets.length > 0) this.#options.onResets(resets);
    for (const cut of cuts) cut.done();
  }
}
