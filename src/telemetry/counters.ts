import {
  HISTOGRAM_SLOTS,
  type HistogramName,
  type HistogramValues,
  histogramOf,
  slotsOf,
} from './histograms.js';

/**
 * Figures that threads share: one SharedArrayBuffer a thread, one 64-bit slot a name, one writer each. A reader sees
 * every slot whole, though not all slots of the same instant, and adds up over the workers.
 *
 * Written once a batch or cut, not once an event: each store makes a BigInt.
 */

type Unit =
  | 'events'
  | 'bytes'
  | 'batches'
  | 'rows'
  | 'letters'
  | 'sessions'
  | 'values'
  | 'cuts'
  | 'snapshots'
  | 'errors'
  | 'files'
  | 'versions'
  | 'hosts'
  | 'flags'
  | 'ms'
  | 'ns';

interface CounterInfo {
  /** A counter only grows; a gauge is the present value. Both are added up over workers; of `longest` the largest counts. */
  kind: 'counter' | 'gauge' | 'longest';
  unit: Unit;
  help: string;
}

/** Every shared figure. The order is the order of the slots. */
export const COUNTERS = {
  events: { kind: 'counter', unit: 'events', help: 'Events read, replayed ones included' },
  bytes: { kind: 'counter', unit: 'bytes', help: 'Bytes of record batches read, as fetched' },
  batches: { kind: 'counter', unit: 'batches', help: 'Record batches read' },
  undecided: { kind: 'counter', unit: 'events', help: 'Events that the kernel left to the reference' },
  rows: { kind: 'counter', unit: 'rows', help: 'Change rows sealed' },
  rowsTakenBack: {
    kind: 'counter',
    unit: 'rows',
    help: 'Of the change rows, those that take an earlier row of a corrected session back',
  },
  sessionsClosed: {
    kind: 'counter',
    unit: 'sessions',
    help: 'First rows of sessions sealed; of a session that is still open with an early row, too',
  },
  cuts: { kind: 'counter', unit: 'cuts', help: 'Cuts sealed' },
  files: { kind: 'counter', unit: 'files', help: 'Parquet files written' },
  parquetBytes: { kind: 'counter', unit: 'bytes', help: 'Bytes of Parquet written' },
  commits: { kind: 'counter', unit: 'versions', help: 'Versions of the table committed with cuts' },
  committedRows: { kind: 'counter', unit: 'rows', help: 'Change rows committed to the table' },
  clickhouseFiles: { kind: 'counter', unit: 'files', help: 'Files that ClickHouse took' },
  clickhouseRows: { kind: 'counter', unit: 'rows', help: 'Change rows in the files that ClickHouse took' },
  clickhouseBytes: { kind: 'counter', unit: 'bytes', help: 'Bytes of Parquet that ClickHouse took' },
  clickhouseErrors: {
    kind: 'counter',
    unit: 'errors',
    help: 'Inserts into ClickHouse without a full answer; they are repeated',
  },
  clickhouseFilesBehind: {
    kind: 'gauge',
    unit: 'files',
    help: 'Files of the ledger that are known and that ClickHouse does not have yet',
  },
  clickhouseVersionsBehind: {
    kind: 'gauge',
    unit: 'versions',
    help: 'Versions of the ledger that the follower of ClickHouse has not looked at yet',
  },
  clickhouseLagMs: {
    kind: 'gauge',
    unit: 'ms',
    help: 'Age of the oldest cut that ClickHouse does not have whole, of the lanes here; 0: it has all',
  },
  clickhouseEventLagMs: {
    kind: 'gauge',
    unit: 'ms',
    help: 'Event time by which ClickHouse is behind the ledger, of the lane that is farthest behind',
  },
  clickhouseTrouble: {
    kind: 'gauge',
    unit: 'flags',
    help: '1 while ClickHouse can not be reached or is not as it should be, and nothing gets on',
  },
  clickhouseHost: {
    kind: 'gauge',
    unit: 'hosts',
    help: 'The host that is talked to, by its place in clickhouse.url, from 0',
  },
  clickhouseHostChanges: {
    kind: 'counter',
    unit: 'hosts',
    help: 'How often a host of ClickHouse was left for the next one',
  },
  filtered: { kind: 'counter', unit: 'events', help: 'Events that the filter of the model left out' },
  blanked: { kind: 'counter', unit: 'values', help: 'Values to be truncated as IP addresses that are none' },
  clamped: { kind: 'counter', unit: 'values', help: 'Values that did not fit their column and were clamped' },
  evictedSessions: {
    kind: 'counter',
    unit: 'sessions',
    help: 'Open sessions let out early because the session memory was nearly full',
  },
  openSessions: { kind: 'gauge', unit: 'sessions', help: 'Open sessions' },
  sessionBytes: { kind: 'gauge', unit: 'bytes', help: 'Memory of open sessions' },
  rowBytes: {
    kind: 'gauge',
    unit: 'bytes',
    help: "What rows and columns under way take of the kernel's memory",
  },
  heapBytes: { kind: 'gauge', unit: 'bytes', help: 'JavaScript objects' },
  bufferBytes: { kind: 'gauge', unit: 'bytes', help: 'Buffers that are not shared' },
  clickhouseKeptBytes: {
    kind: 'gauge',
    unit: 'bytes',
    help: 'Files kept in memory until ClickHouse has them',
  },
  busyNs: { kind: 'counter', unit: 'ns', help: 'Time spent on data' },
  sealNs: { kind: 'counter', unit: 'ns', help: 'Time spent on sealing cuts' },
  checkNs: { kind: 'counter', unit: 'ns', help: 'Of the time on data: whether batches are whole' },
  decompressNs: { kind: 'counter', unit: 'ns', help: 'Of the time on data: decompressing batches' },
  sessionsNs: {
    kind: 'counter',
    unit: 'ns',
    help: 'Of the time on data: reading events, keeping sessions, closing those whose time is over',
  },
  cutNs: {
    kind: 'counter',
    unit: 'ns',
    help: 'Time spent on marks and closing at cuts, and on taking the rows',
  },
  columnsNs: { kind: 'counter', unit: 'ns', help: 'Of the time on sealing: making columns of rows' },
  parquetNs: { kind: 'counter', unit: 'ns', help: 'Of the time on sealing: making Parquet files' },
  uploadNs: { kind: 'counter', unit: 'ns', help: 'Time until the store had taken what was written to it' },
  commitNs: {
    kind: 'counter',
    unit: 'ns',
    help: "Time that commits took in the table's log, lost races included",
  },
  snapshots: { kind: 'counter', unit: 'snapshots', help: 'Snapshots of lanes written' },
  snapshotBytes: { kind: 'counter', unit: 'bytes', help: 'Bytes of snapshots written, compressed' },
  snapshotNs: {
    kind: 'counter',
    unit: 'ns',
    help: 'Time for which making and reading snapshots held the worker; compressing and writing are not its own',
  },
  snapshotStopNs: {
    kind: 'longest',
    unit: 'ns',
    help: 'Longest time for which making or reading a snapshot held a worker',
  },
  deadLettersMalformed: { kind: 'counter', unit: 'letters', help: 'Dead letters: not valid JSON' },
  deadLettersMissingField: {
    kind: 'counter',
    unit: 'letters',
    help: 'Dead letters: a required field is missing',
  },
  deadLettersWrongType: { kind: 'counter', unit: 'letters', help: 'Dead letters: a field of another type' },
  deadLettersLate: { kind: 'counter', unit: 'letters', help: 'Dead letters: later than allowed' },
  deadLettersFuture: { kind: 'counter', unit: 'letters', help: 'Dead letters: too far ahead of the record' },
  deadLettersTooLarge: { kind: 'counter', unit: 'letters', help: 'Dead letters: larger than the limit' },
  deadLettersUndecodable: { kind: 'counter', unit: 'letters', help: 'Dead letters: could not be decoded' },
  deadLettersUnsupported: { kind: 'counter', unit: 'letters', help: 'Dead letters: of a kind not supported' },
} as const satisfies Record<string, CounterInfo>;

export type CounterName = keyof typeof COUNTERS;
export type CounterValues = Record<CounterName, number>;

const NAMES = Object.keys(COUNTERS) as CounterName[];
/** Behind the counters come the histograms. */
const SLOTS = NAMES.length + HISTOGRAM_SLOTS;
const SLOT_OF = Object.fromEntries(NAMES.map((name, slot) => [name, slot])) as Record<CounterName, number>;

/** Shared bytes for one writer's figures. */
export function countersBytes(): number {
  return SLOTS * BigInt64Array.BYTES_PER_ELEMENT;
}

type PascalCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Capitalize<Head>}${PascalCase<Tail>}`
  : Capitalize<S>;

/** The counter of a dead letter's reason: `missing_field` → `deadLettersMissingField`. */
export function deadLetterCounter<R extends string>(reason: R): `deadLetters${PascalCase<R>}` {
  const pascal = reason.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return `deadLetters${pascal}` as `deadLetters${PascalCase<R>}`;
}

/** The writing end. Exactly one for a buffer at any time; the next one goes on from what is there. */
export class WorkerCounters {
  readonly #slots: BigInt64Array;
  /** What the slots hold, so that a write needs no read of shared memory. */
  readonly #values: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#slots = new BigInt64Array(buffer, 0, SLOTS);
    this.#values = Float64Array.from(this.#slots, (_, slot) => Number(Atomics.load(this.#slots, slot)));
  }

  /** Adds a whole number to a counter. */
  add(name: CounterName, amount: number): void {
    const slot = SLOT_OF[name];
    this.#publish(slot, this.#values[slot]! + amount);
  }

  /** Adds a time to a counter of nanoseconds. */
  addMs(name: CounterName, ms: number): void {
    this.add(name, Math.max(0, Math.round(ms * 1e6)));
  }

  /** Sets a figure to a whole number. */
  set(name: CounterName, value: number): void {
    this.#publish(SLOT_OF[name], value);
  }

  /** Raises a figure to a whole number, where it is smaller. */
  atLeast(name: CounterName, value: number): void {
    if (value > this.#values[SLOT_OF[name]]!) this.set(name, value);
  }

  /** One more value of a histogram, a whole number; or so many that are alike. */
  observe(name: HistogramName, value: number, times = 1): void {
    const { bucket, sum } = slotsOf(name, value);
    this.#publish(NAMES.length + bucket, this.#values[NAMES.length + bucket]! + times);
    this.#publish(NAMES.length + sum, this.#values[NAMES.length + sum]! + value * times);
  }

  #publish(slot: number, value: number): void {
    this.#values[slot] = value;
    Atomics.store(this.#slots, slot, BigInt(value));
  }
}

/** One writer's figures. */
export function readCounters(buffer: SharedArrayBuffer): CounterValues {
  return sumCounters([buffer]);
}

/** The figures of all writers together, each as its kind says. */
export function sumCounters(buffers: readonly SharedArrayBuffer[]): CounterValues {
  const slots = buffers.map((buffer) => new BigInt64Array(buffer, 0, NAMES.length));
  const total = (name: CounterName, slot: number) => {
    const values = slots.map((each) => Number(Atomics.load(each, slot)));
    if (COUNTERS[name].kind === 'longest') return Math.max(0, ...values);
    return values.reduce((sum, value) => sum + value, 0);
  };
  return Object.fromEntries(NAMES.map((name, slot) => [name, total(name, slot)])) as CounterValues;
}

/** A histogram's values of all writers together. */
export function sumHistogram(name: HistogramName, buffers: readonly SharedArrayBuffer[]): HistogramValues {
  const slots = buffers.map((buffer) => new BigInt64Array(buffer, 0, SLOTS));
  return histogramOf(name, (slot) =>
    slots.reduce((sum, each) => sum + Number(Atomics.load(each, NAMES.length + slot)), 0),
  );
}

/** What an open session takes on average, in whole bytes; 0 when none is open. */
export function bytesPerOpenSession({ sessionBytes, openSessions }: CounterValues): number {
  return openSessions === 0 ? 0 : Math.round(sessionBytes / openSessions);
}

/** What snapshots of lanes have cost the workers so far, for the log. */
export function snapshotFigures({ snapshots, snapshotBytes, snapshotNs, snapshotStopNs }: CounterValues) {
  const ms = (ns: number) => Math.round(ns / 1e4) / 100;
  return { snapshots, bytes: snapshotBytes, held_ms: ms(snapshotNs), longest_stop_ms: ms(snapshotStopNs) };
}

/** Dead letters of all reasons. */
export function deadLettersOf(values: CounterValues): number {
  return NAMES.filter((name) => name.startsWith('deadLetters')).reduce((sum, name) => sum + values[name], 0);
}
