import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LakeReadOptions, lakeRead } from '#src/commands/lake/read.js';
import type { Action } from '#src/lake/delta/actions.js';
import type { DeltaLog } from '#src/lake/delta/log.js';
import { ensureTable } from '#src/lake/delta/table.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { CutLaneEntry } from '#src/ledger/types.js';
import type { Row } from '#src/model/types.js';
import { everyType } from './columnar-model.js';
import { SEAL } from './columnar-rows.js';
import { commitInfo, writeRows } from './lake-table.js';

/** A small table of changes as an engine writes it, with one lane, for commands that look at a table. */

export const LANE = 'headrace/g/t/T/0';
const START_MS = Date.UTC(2026, 0, 31, 10);
export const DAY_MS = 86_400_000;

/** A row of a session: its number of events is what changes. */
export function sessionRow(id: string, day: number, revision: number, events: number, sign = 1): Row {
  const { columnIndex, columns } = everyType;
  const at = (name: string) => columns.find((column) => column.name === name)!.index;
  const row: Row = columns.map(({ type, nullable }) => {
    if (type === 'list<string>') return [];
    if (nullable) return null;
    return type === 'string' ? '' : type === 'bool' ? true : type === 'uint64' ? 0n : 0;
  });
  return row
    .with(at('session_id'), id)
    .with(columnIndex.session_start, START_MS + day * DAY_MS)
    .with(at('u32'), events)
    .with(columnIndex.closed_by, 'gap')
    .with(columnIndex.revision, revision)
    .with(columnIndex.sign, sign);
}

export class LakeStory {
  #offset = 0;
  #files = 0n;

  private constructor(
    readonly folder: string,
    readonly store: LocalStore,
    readonly log: DeltaLog,
  ) {}

  static async begin(folder: string): Promise<LakeStory> {
    const store = await LocalStore.open(folder);
    const start = { ...laneEntry(0, 0, -1), start: true as const };
    const { log } = await ensureTable(
      store,
      everyType,
      { group: 'g', topic: 't' },
      { commitInfo: info('create', [start]), actions: [{ txn: { appId: LANE, version: 0n } }] },
    );
    return new LakeStory(folder, store, log);
  }

  /** A cut with these rows; the lane moves on by ten. Answers the version. */
  async cut(rows: readonly Row[], lane: Partial<CutLaneEntry> = {}): Promise<number> {
    const adds = await this.write(rows);
    const before = this.log.txns.get(LANE)!;
    const entry = { ...laneEntry(this.#offset, this.#offset + 10, before.committedIn), ...lane };
    this.#offset = entry.to;
    const version = this.log.version + 1;
    await this.put([
      { commitInfo: info(`${version}`, [entry], version) },
      { txn: { appId: LANE, version: BigInt(entry.to) } },
      ...adds,
    ]);
    return version;
  }

  async write(rows: readonly Row[]): Promise<Action[]> {
    this.#files++;
    return await writeRows(this.store, everyType, rows, { ...SEAL, fileId: this.#files });
  }

  /** The next version, after those of others. */
  async put(actions: readonly Action[]): Promise<number> {
    for (;;) {
      await this.log.refresh();
      const version = this.log.version + 1;
      const outcome = await this.log.tryCommit(version, actions);
      if (outcome === 'committed') return version;
      if (outcome !== 'conflict') throw new Error(`version ${version}: ${outcome}`);
    }
  }
}

/** Of a version: a minute behind the one before. */
export const timeOf = (version: number) => Date.UTC(2026, 0, 31, 12, version);

export function info(attempt: string, lanes: readonly CutLaneEntry[], version = 0) {
  const cut = { id: attempt, createdAtMs: timeOf(version), lanes, deadLetterFiles: [] };
  const entry = { engine: 'e', semantics: 's', cuts: lanes.length === 0 ? [] : [cut] };
  return { ...commitInfo(attempt, entry), timestamp: timeOf(version) };
}

export function laneEntry(from: number, to: number, parent: number): CutLaneEntry {
  const nothing = { watermarkMs: null, marks: {}, rows: 0, deadLetters: 0, crc: 0 };
  return { partition: 0, from, to, parent, ...nothing };
}

/** What a command prints. */
export function printed() {
  const said = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => (text: string) => {
    said[name] += text;
  };
  return { said, stdout: into('stdout'), stderr: into('stderr') };
}

/** Rows that `lake read` writes as JSON lines into a file beside the table. */
export async function readLines(
  lake: string,
  more: Partial<LakeReadOptions> = {},
): Promise<Record<string, unknown>[]> {
  const output = join(lake, '..', 'rows.jsonl');
  const { stdout, stderr } = printed();
  const how = { format: 'jsonl' as const, where: [], limit: null, changes: false };
  await lakeRead({ lake, output, ...how, ...more, stdout, stderr });
  const lines = (await readFile(output, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
