import { HeadraceError } from '#src/errors.js';
import type { CompiledModel } from '#src/model/types.js';
import { openBatches } from '#src/reference/batch-reader.js';
import type { LaneEngine, SessionEngine } from '../../workers/engines/engine.js';
import type { FuzzLimits } from './case.js';

/** How an engine is made for a case. */
export interface EngineMaker {
  readonly name: string;
  make(model: CompiledModel, limits: FuzzLimits): SessionEngine;
  /** Puts fetched bytes where the engine finds them in earnest; what it gives is valid until the next call. */
  place?(bytes: Uint8Array): Uint8Array;
}

/** How far a fetch was taken. */
export interface Taken {
  events: number;
  next: bigint;
  full: boolean;
  /** Code and offset of the error that ended it, or null. */
  error: string | null;
}

/** One of the two engines with its lanes, driven as the worker drives it. */
export class Side {
  readonly engine: SessionEngine;
  readonly lanes: LaneEngine[] = [];
  readonly #limits: FuzzLimits;
  readonly #place: (bytes: Uint8Array) => Uint8Array;

  constructor(maker: EngineMaker, model: CompiledModel, limits: FuzzLimits) {
    this.engine = maker.make(model, limits);
    this.#limits = limits;
    this.#place = (bytes) => maker.place?.(bytes) ?? bytes;
  }

  /** Takes the records at offsets in [from, until) of one fetch. */
  feed(lane: number, bytes: Uint8Array, from: bigint, until: bigint): Taken {
    const taken: Taken = { events: 0, next: from, full: false, error: null };
    const { recordBytesMax, decompressedBatchBytesMax } = this.#limits;
    const limits = { recordBytesMax, decompressedBatchBytesMax };
    try {
      openBatches(this.#place(bytes), { fromOffset: from, limits }, this.engine.codecs, (batch) => {
        const behind = batch.lastOffset + 1n;
        const end = behind < until ? behind : until;
        if (taken.full || taken.next >= end) return;
        const accepted = this.lanes[lane]!.accept(batch, taken.next, end);
        taken.events += accepted.events;
        taken.next = accepted.nextOffset;
        taken.full = accepted.full;
      });
      if (!taken.full) taken.next = until;
    } catch (error) {
      if (!(error instanceof HeadraceError) || error.code === 'INVARIANT') throw error;
      taken.error = `${error.code} at ${error.where.offset}`;
    }
    return taken;
  }
}
