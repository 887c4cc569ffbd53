import { type Action, type Add, commitInfoOf, type VersionActions } from '../delta/actions.js';
import type { ArchivedFile, ArchivedVersion } from './archive.js';
import { FileNeeds } from './file-needs.js';

/**
 * The data files of a table as its versions tell of them: those in it, with what maintenance has to know of each, and those that were
 * taken out. In memory for as long as a run of maintenance lasts.
 */

export interface IndexedFile {
  add: Omit<Add, 'stats'>;
  /** The partition's values as JSON: files that have the same lie in one partition. */
  partition: string;
  /** Null: the writer did not say. */
  rows: number | null;
  /** Change rows that take others back may be in it. */
  mayHoldChanges: boolean;
  /** Bounds of session_start, ms since 1970; null: not known. */
  startsMs: { min: number; max: number } | null;
}

export interface RemovedFile {
  /** When it was taken out, ms since 1970. */
  atMs: number;
  version: number;
}

/** Of the ledger's entry, as much as is read here. */
interface MaintenanceNote {
  kind?: string;
  to?: string;
  files?: readonly ArchivedFile[];
}

interface Stats {
  numRecords?: number;
  minValues?: Record<string, unknown>;
  maxValues?: Record<string, unknown>;
}

/** Columns of the model by which files are told apart. */
export interface IndexColumns {
  sign: string;
  start: string;
}

export class TableIndex {
  readonly files = new Map<string, IndexedFile>();
  readonly removed = new Map<string, RemovedFile>();
  readonly needs = new FileNeeds();
  /** The newest version of maintenance of each kind, whoever wrote it, with its time. */
  readonly maintained = new Map<string, { version: number; atMs: number }>();
  /** What versions gave to archives, in order. */
  readonly archived: ArchivedVersion[] = [];
  readonly #columns: IndexColumns;
  readonly #stats: Map<string, string> | null;
  readonly #order = new Map<string, number>();
  #count = 0;

  /** `keepStats`: as JSON text, for those who write the files' adds elsewhere. */
  constructor(columns: IndexColumns, keepStats = false) {
    this.#columns = columns;
    this.#stats = keepStats ? new Map() : null;
  }

  /** Null: the writer gave none, or they are not kept. */
  statsOf(path: string): string | null {
    return this.#stats?.get(path) ?? null;
  }

  /** The log begins with a checkpoint; what was told before counts no more. */
  begin(version: number, actions: readonly Action[], note: unknown): void {
    this.files.clear();
    this.removed.clear();
    this.needs.begin(version, actions, note);
    this.#takeFiles(version, actions, 0);
  }

  take(version: VersionActions): void {
    this.needs.take(version);
    const info = commitInfoOf(version.actions);
    const atMs = info?.timestamp ?? 0;
    const entry = info?.headrace as { maintenance?: MaintenanceNote } | undefined;
    const note = entry?.maintenance;
    if (note?.kind !== undefined) this.maintained.set(note.kind, { version: version.version, atMs });
    if (note?.kind === 'archive' && note.to !== undefined && note.files !== undefined)
      this.archived.push({ version: version.version, to: note.to, files: note.files });
    this.#takeFiles(version.version, version.actions, atMs);
  }

  /** By partition, the files in it in the order in which they came. */
  partitions(): Map<string, IndexedFile[]> {
    const found = new Map<string, IndexedFile[]>();
    for (const file of this.files.values()) {
      const known = found.get(file.partition);
      if (known === undefined) found.set(file.partition, [file]);
      else known.push(file);
    }
    for (const files of found.values())
      files.sort((a, b) => this.#order.get(a.add.path)! - this.#order.get(b.add.path)!);
    return found;
  }

  #takeFiles(version: number, actions: readonly Action[], atMs: number): void {
    // whatever their order in the version, a path that is removed and added is there
    for (const action of actions) {
      if (!('remove' in action)) continue;
      const { path, deletionTimestamp } = action.remove;
      this.files.delete(path);
      this.#order.delete(path);
      this.removed.set(path, { version, atMs: deletionTimestamp ?? atMs });
    }
    for (const action of actions) {
      if (!('add' in action)) continue;
      const { stats, ...add } = action.add;
      this.removed.delete(add.path);
      if (stats !== undefined) this.#stats?.set(add.path, stats);
      this.files.set(add.path, this.#indexed(add, stats));
      this.#order.set(add.path, this.#count++);
    }
  }

  #indexed(add: Omit<Add, 'stats'>, text: string | undefined): IndexedFile {
    const { numRecords, minValues, maxValues } = parsed(text);
    const [min, max] = [minValues, maxValues].map((values) => timeOf(values?.[this.#columns.start]));
    const leastSign = minValues?.[this.#columns.sign];
    return {
      add,
      partition: JSON.stringify(add.partitionValues),
      rows: numRecords ?? null,
      mayHoldChanges: typeof leastSign !== 'number' || leastSign < 0,
      startsMs: min == null || max == null ? null : { min, max },
    };
  }
}

function parsed(text: string | undefined): Stats {
  if (text === undefined) return {};
  try {
    return (JSON.parse(text) ?? {}) as Stats;
  } catch {
    return {};
  }
}

function timeOf(value: unknown): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
