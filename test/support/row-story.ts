import { groupByDate } from '#src/columnar/session-date.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import type { Random } from '#src/random.js';

/**
 * Rows of any model that come, change in every column but who they are, merge, split and go: as the files of a cut, one a day. What is
 * left of them is for whoever recomputes.
 */
export interface RowFile {
  token: string;
  rows: Row[];
}

export class RowStory {
  readonly #model: CompiledModel;
  readonly #random: Random;
  readonly #make: (serial: number) => Row;
  /** As they stand, with sign 1. */
  #standing: Row[] = [];
  #serial = 0;
  #cuts = 0;

  /** `make`: a new session. */
  constructor(model: CompiledModel, random: Random, make: (serial: number) => Row) {
    this.#model = model;
    this.#random = random;
    this.#make = make;
  }

  get sessions(): number {
    return this.#standing.length;
  }

  next(): RowFile[] {
    const changes: Row[] = [];
    const leave = (row: Row) => {
      this.#standing = this.#standing.filter((each) => each !== row);
      changes.push(this.#with(row, 'sign', -1));
    };
    const enter = (row: Row) => {
      this.#standing.push(row);
      changes.push(row);
    };
    const any = () => this.#standing[this.#random.below(this.#standing.length)]!;
    for (let i = 1 + this.#random.below(3); i > 0; i--) enter(this.#make(this.#serial++));
    for (let i = this.#random.below(4); i > 0 && this.#standing.length > 1; i--) {
      const old = any();
      leave(old);
      const lot = this.#random.below(5);
      // it goes for good, as when what it was made of belongs to another
      if (lot === 0) continue;
      enter(this.#revised(old));
      // a merge takes another one with it, a split brings one more
      if (lot === 1 && this.#standing.length > 1) leave(any());
      if (lot === 2) enter(this.#make(this.#serial++));
    }
    const cut = ++this.#cuts;
    return [...groupByDate(this.#model, changes)].map(([day, rows]) => ({ token: `${cut}/${day}`, rows }));
  }

  /** The same session, all else another: brand, country, device, pages. */
  #revised(old: Row): Row {
    const fresh = this.#make(this.#serial++);
    const kept = new Set(['session_id', 'session_start', 'session_date']);
    const revision = Number(old[this.#model.columnIndex.revision]) + 1;
    const row = fresh.map((value, i) => (kept.has(this.#model.columns[i]!.name) ? old[i]! : value));
    return this.#with(row, 'revision', revision);
  }

  #with(row: Row, column: 'sign' | 'revision', value: number): Row {
    const index = this.#model.columnIndex[column];
    return row.map((each, i) => (i === index ? value : each));
  }
}
