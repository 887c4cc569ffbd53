import type { CompiledModel, Row } from '../../model/types.js';
import { type BatchLimits, openBatches } from '../../reference/batch-reader.js';
import { PLAIN_CODECS } from '../../reference/codecs/plain.js';
import { ReferenceLane } from '../../reference/lane.js';
import type { LaneState } from '../../reference/lane-state.js';
import { eachRecord } from '../../reference/record-batches.js';
import type { LaneCut } from './lane-cuts.js';
import type { LaneData } from './lane-log.js';

/**
 * A lane made again by the plain reference: events in their order, and at each cut of the ledger its marks. As an engine's replay, but
 * its rows are kept.
 */
export interface ReplayOptions {
  model: CompiledModel;
  limits: BatchLimits;
  topic: string;
  partition: number;
  from: bigint;
  state: LaneState | undefined;
  /** Those behind `from`, in order. */
  cuts: readonly LaneCut[];
  onRow(row: Row): void;
  /** All rows up to the cut were given out. */
  onCut(cut: LaneCut, counted: { rows: number; deadLetters: number }): void;
}

export class LaneReplay {
  events = 0;
  readonly #options: ReplayOptions;
  readonly #lane: ReferenceLane;
  #position: bigint;
  #met = 0;
  #rows = 0;
  #deadLetters = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#position = options.from;
    this.#lane = new ReferenceLane(
      options.model,
      {
        row: (row) => {
          this.#rows++;
          options.onRow(row);
        },
        deadLetter: () => {
          this.#deadLetters++;
        },
      },
      options.state,
    );
    this.#meetCuts();
  }

  /** Throws HeadraceError BATCH_… for bytes that can't be read. */
  accept({ bytes, aborted, from, until }: LaneData): void {
    const { topic, partition, limits } = this.#options;
    const where = { topic, partition };
    openBatches(bytes, { fromOffset: from, limits, where, aborted }, PLAIN_CODECS, (batch) => {
      const behind = batch.lastOffset + 1n;
      const end = behind < until ? behind : until;
      while (this.#position < end) {
        const stop = this.#nextStop(end);
        this.events += eachRecord(batch, this.#position, stop, (record) => this.#lane.accept(record));
        this.#position = stop;
        this.#meetCuts();
      }
    });
    this.#position = until;
    this.#meetCuts();
  }

  #nextStop(end: bigint): bigint {
    const cut = this.#options.cuts[this.#met];
    if (cut === undefined) return end;
    const to = BigInt(cut.entry.to);
    return to < end ? to : end;
  }

  #meetCuts(): void {
    const { cuts, onCut } = this.#options;
    for (; this.#met < cuts.length; this.#met++) {
      const cut = cuts[this.#met]!;
      if (BigInt(cut.entry.to) > this.#position) return;
      this.#lane.applyMarks(cut.entry.marks);
      onCut(cut, { rows: this.#rows, deadLetters: this.#deadLetters });
      this.#rows = 0;
      this.#deadLetters = 0;
    }
  }
}
