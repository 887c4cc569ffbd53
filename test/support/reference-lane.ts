import { compileModel } from '#src/model/compile.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel, DeadLetter, Row } from '#src/model/types.js';
import { type LaneState, ReferenceLane } from '#src/reference/lane.js';

/** A small model and a lane that is fed in a few words; times are seconds after `BASE_MS`. */

export const BASE_MS = Date.UTC(2026, 0, 1);

export interface TinyOptions {
  gap?: string;
  disorder?: string;
  lateness?: string;
  countType?: string;
  listLimit?: number;
  /** More lines of the model. */
  more?: string;
  /** Has to be named when it is not the usual one. */
  endEvent?: string;
  /** More lines of fields and of columns. */
  fields?: string;
  columns?: string;
}

export function tinyModel(options: TinyOptions = {}): CompiledModel {
  const { gap = '10s', disorder = '5s', lateness = '20s', countType = 'uint32', listLimit = 100 } = options;
  const { more = '', endEvent = '{ field: type, in: [end, logout] }', fields = '', columns = '' } = options;
  return compileModel(
    `
name: tiny
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  type: { type: string }
  page: { type: string }
  price: { type: number }
${fields}
gap: ${gap}
allowed_disorder: ${disorder}
allowed_lateness: ${lateness}
max_future: 4d
end_event: ${endEvent}
${more}
columns:
  session_id: { op: session_id, template: '{key}:{start_ms}' }
  user: { op: key }
  session_start: { op: session_start }
  session_end: { op: session_end }
  duration: { op: duration_sec, type: uint16 }
  events: { op: count, type: ${countType} }
  buys: { op: count_if, field: type, in: [buy] }
  entry: { op: first, field: page }
  exit: { op: last, field: page }
  last_price: { op: last, field: price }
  unique: { op: count_distinct, field: page, type: uint64 }
  pages: { op: list, field: page, limit: ${listLimit} }
  distinct: { op: set, field: page, limit: ${listLimit} }
${columns}
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`,
    'tiny.yaml',
  );
}

export interface TinyEvent {
  user: string;
  /** Seconds after BASE_MS. */
  at: number;
  type?: string | null | undefined;
  page?: string | null | undefined;
  price?: number | undefined;
  /** Read by collectionsModel only. */
  title?: string | null | undefined;
  amount?: number | null | undefined;
}

export interface NamedRow {
  session_id: string;
  user: string;
  session_start: number;
  session_end: number;
  closed_by: string;
  revision: number;
  sign: number;
  [column: string]: unknown;
}

export class LaneProbe {
  readonly model: CompiledModel;
  readonly rows: Row[] = [];
  readonly letters: DeadLetter[] = [];
  lane: ReferenceLane;
  offset = 0n;

  constructor(model: CompiledModel = tinyModel(), state?: LaneState) {
    this.model = model;
    this.lane = this.#laneOf(state);
  }

  send(...events: TinyEvent[]): this {
    for (const event of events) {
      const value = Buffer.from(JSON.stringify({ ...event, at: BASE_MS + event.at * 1_000 }));
      this.sendRaw(value);
    }
    return this;
  }

  sendRaw(value: Uint8Array | null, tooLarge = false): this {
    const timestampMs = BASE_MS;
    this.lane.accept({ offset: this.offset++, timestampMs, key: Buffer.from('k'), value, tooLarge });
    return this;
  }

  marks(marks: Marks): this {
    this.lane.applyMarks(marks);
    return this;
  }

  /** Goes on with another lane, made from this one's state. */
  restart(through: (state: LaneState) => LaneState = (state) => state): this {
    this.lane = this.#laneOf(through(this.lane.snapshot()));
    return this;
  }

  get named(): NamedRow[] {
    return this.rows.map((row) => nameRow(this.model, row));
  }

  /** Each row in a line: `+ u 0..5 events=2 gap r0`, and empties the list. */
  take(): string[] {
    const lines = this.named.map((row) => {
      const seconds = (ms: number) => (ms - BASE_MS) / 1_000;
      const span = `${seconds(row.session_start)}..${seconds(row.session_end)}`;
      return `${row.sign > 0 ? '+' : '-'} ${row.user} ${span} events=${row.events} ${row.closed_by} r${row.revision}`;
    });
    this.rows.length = 0;
    return lines;
  }

  #laneOf(state: LaneState | undefined): ReferenceLane {
    const sink = {
      row: (row: Row) => this.rows.push(row),
      deadLetter: (letter: DeadLetter) => this.letters.push(letter),
    };
    return new ReferenceLane(this.model, sink, state);
  }
}

export function nameRow(model: CompiledModel, row: Row): NamedRow {
  return Object.fromEntries(model.columns.map((column) => [column.name, row[column.index]])) as NamedRow;
}
