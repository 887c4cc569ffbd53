import { HeadraceError } from '#src/errors.js';
import { invariant } from '#src/invariant.js';
import type { RecordedCut } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel, DeadLetter, Row } from '#src/model/types.js';
import type { AssignCommand } from '#src/pool/messages.js';
import { type LaneState, ReferenceLane } from '#src/reference/lane.js';
import { decodeBatches } from '#src/reference/record-batches.js';
import { addCrc, rowCrc } from '#src/reference/row-crc.js';

/**
 * One lane in its worker: where it stands, its sessions, and what it has emitted since the last cut.
 *
 *   loading ──state there──▶ replay ──met the ledger──▶ live
 *      any of them ──▶ halted (for good, until it is assigned again)
 *
 * In replay the output is off: rows are counted and summed, compared with what the ledger recorded of each cut, and
 * dropped; the marks of each cut are applied at its offset (rule 12).
 */
export type LaneMode = 'loading' | 'replay' | 'live' | 'halted';

/** What a lane emitted between two cuts. */
export interface Emitted {
  rows: Row[];
  deadLetters: DeadLetter[];
  /** Sum of the rows' CRC-32C, modulo 2³². */
  crc: number;
}

export interface LaneSlotOptions {
  assign: AssignCommand;
  topic: string;
  model: CompiledModel;
  limits: { recordBytesMax: number; decompressedBatchBytesMax: number };
  onLive(): void;
}

export class LaneSlot {
  readonly partition: number;
  readonly incarnation: number;
  readonly appId: string;
  mode: LaneMode = 'loading';
  /** After a corrupt batch: data is void until the main thread's `seek`. */
  waitsForSeek = false;
  /** The lane leaves or the engine stops: it stands where it is, and what still comes is void. */
  frozen = false;
  nextOffset: bigint;
  readonly #options: LaneSlotOptions;
  readonly #replay: readonly RecordedCut[];
  #replayed = 0;
  #wasLive = false;
  #lane: ReferenceLane | null = null;
  #emitted: Emitted = { rows: [], deadLetters: [], crc: 0 };

  constructor(options: LaneSlotOptions) {
    this.#options = options;
    this.partition = options.assign.partition;
    this.incarnation = options.assign.incarnation;
    this.appId = options.assign.appId;
    this.#replay = options.assign.replay;
    this.nextOffset = options.assign.snapshot?.offset ?? options.assign.startOffset;
  }

  get openSessions(): number {
    return this.#lane?.openSessions ?? 0;
  }

  get sessionBytes(): number {
    return this.#lane?.sessionBytes ?? 0;
  }

  get clamped(): number {
    return this.#lane?.clamped ?? 0;
  }

  get watermarkMs(): number | null {
    return this.#lane?.watermarkMs ?? null;
  }

  /** Does the lane take part in cuts? One that halted while live still has what lies before its halt to seal. */
  get sealable(): boolean {
    return this.mode === 'live' || (this.mode === 'halted' && this.#wasLive);
  }

  /** Starts the sessions, from a snapshot's state or from nothing. */
  start(state: LaneState | null): void {
    const sink = {
      row: (row: Row) => {
        this.#emitted.crc = addCrc(this.#emitted.crc, rowCrc(this.#options.model, row));
        this.#emitted.rows.push(row);
      },
      deadLetter: (letter: DeadLetter) => {
        this.#emitted.deadLetters.push(letter);
      },
    };
    this.#lane = new ReferenceLane(this.#options.model, sink, state ?? undefined);
    this.mode = 'replay';
    this.#meetCuts(this.nextOffset);
  }

  /**
   * Takes whole record batches that were fetched from `nextOffset`; events at or behind `until` are not the lane's (the last
   * batch of a bounded run may reach beyond its end). Throws HeadraceError BATCH_CORRUPT
   * (nextOffset stands at the first event not taken), BATCH_UNSUPPORTED, BATCH_TOO_LARGE, REPLAY_DIFFERS.
   */
  accept(bytes: Uint8Array, fetchedFrom: bigint, until: bigint): { events: number; batches: number } {
    const lane = this.#lane;
    const { partition } = this;
    invariant(lane !== null, 'data came before the lane was ready', { partition });
    invariant(fetchedFrom === this.nextOffset, 'data does not continue the lane', {
      partition,
      expected: this.nextOffset,
      offset: fetchedFrom,
    });
    let events = 0;
    const { topic, limits } = this.#options;
    const { batches } = decodeBatches(
      bytes,
      { fromOffset: this.nextOffset, limits, where: { topic, partition } },
      (record) => {
        if (record.offset >= until) return;
        if (this.mode === 'replay') this.#meetCuts(record.offset);
        lane.accept(record);
        this.nextOffset = record.offset + 1n;
        events++;
      },
    );
    this.nextOffset = until;
    if (this.mode === 'replay') this.#meetCuts(this.nextOffset);
    return { events, batches };
  }

  applyMarks(marks: Marks): void {
    this.#lane?.applyMarks(marks);
  }

  /** What was emitted since the last cut; the next one begins empty. */
  take(): Emitted {
    const emitted = this.#emitted;
    this.#emitted = { rows: [], deadLetters: [], crc: 0 };
    return emitted;
  }

  snapshot(): LaneState {
    invariant(this.#lane !== null, 'a lane without state has no snapshot');
    return this.#lane.snapshot();
  }

  /** Meets the recorded cuts that end at or before an offset: marks applied, result compared, output dropped. */
  #meetCuts(offset: bigint): void {
    while (this.mode === 'replay' && this.#replayed < this.#replay.length) {
      const cut = this.#replay[this.#replayed]!;
      if (cut.to > offset) return;
      this.applyMarks(cut.marks);
      const emitted = this.take();
      const same =
        emitted.rows.length === cut.rows &&
        emitted.deadLetters.length === cut.deadLetters &&
        emitted.crc === cut.crc;
      if (!same) {
        throw new HeadraceError(
          'REPLAY_DIFFERS',
          'the replay of a committed cut gave other rows than the ledger has',
          {
            where: {
              partition: this.partition,
              cut: cut.cutId,
              to: cut.to,
              rows: `${emitted.rows.length} instead of ${cut.rows}`,
              dead_letters: `${emitted.deadLetters.length} instead of ${cut.deadLetters}`,
            },
            remedy:
              'nothing was written; the topic or the model changed since: compare them with the time of the cut',
          },
        );
      }
      this.#replayed++;
    }
    if (this.mode !== 'replay') return;
    this.mode = 'live';
    this.#wasLive = true;
    this.#options.onLive();
  }
}
