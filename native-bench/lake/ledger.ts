import { systemClock } from '#src/clock.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { checkpointLedger } from '#src/ledger/checkpoint-job.js';
import { LedgerHistory } from '#src/ledger/history.js';
import { type CommitDraft, historyFrom, Ledger } from '#src/ledger/ledger.js';
import type { Random } from '#src/random.js';
import { createLog } from '#src/telemetry/log.js';

/** A real ledger, and commits as an engine with so many lanes makes them each second: one file with rows of all. */

const SOURCE = { group: 'bench', topic: 'clicks' };
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const SEMANTICS = 'bench';
const EVENTS_A_COMMIT = 1_000;
const FILE_BYTES = 1_234_567;
const DATE = '2026-01-31';
/** As an engine with many columns writes them. */
const STATS = JSON.stringify({
  numRecords: 24_000,
  minValues: Object.fromEntries(Array.from({ length: 28 }, (_, i) => [`column_${i}`, i])),
  maxValues: Object.fromEntries(Array.from({ length: 28 }, (_, i) => [`column_${i}`, i + 1_000_000])),
  nullCount: Object.fromEntries(Array.from({ length: 28 }, (_, i) => [`column_${i}`, 0])),
});

export async function createBenchTable(store: ObjectStore): Promise<void> {
  const log = await DeltaLog.create(store, {
    id: '00000000-0000-4000-8000-000000000000',
    name: 'sessions',
    description: 'a table of the benchmark lake',
    schemaString: '{"type":"struct","fields":[]}',
    partitionColumns: [],
    configuration: {},
    createdTimeMs: 1,
    commitInfo: {
      timestamp: 1,
      operation: 'CREATE TABLE',
      operationParameters: {},
      isBlindAppend: true,
      engineInfo: 'headrace/bench',
      headrace: { format: 1, attempt: 'create', engine: 'bench', semantics: SEMANTICS, cuts: [] },
    },
  });
  if (log === 'conflict') throw new Error('the table is there already');
}

/** As engines write one beside their commits. */
export async function checkpointBenchLedger(store: ObjectStore): Promise<void> {
  const request = { source: SOURCE, unlessFrom: Number.POSITIVE_INFINITY, nowMs: systemClock.nowMs() };
  await checkpointLedger(store, request, (error) => {
    throw error;
  });
}

export async function openBenchLedger(store: ObjectStore, random: Random): Promise<Ledger> {
  const history = new LedgerHistory(SOURCE);
  const delta = await DeltaLog.open(store, { ...historyFrom(history), fromCheckpoint: true });
  if (delta === null) throw new Error('there is no table');
  return new Ledger(delta, history, {
    ...SOURCE,
    topicId: TOPIC_ID,
    log: createLog({ level: 'error', format: 'json' }),
    clock: systemClock,
    random,
    engineId: 'bench',
    semantics: SEMANTICS,
    version: 'bench',
    onForeign: (version) => {
      throw new Error(`version ${version} is another's`);
    },
  });
}

/** The next commit. One lane in turn has a snapshot, so that the ledger forgets what lies before. */
export function nextDraft(ledger: Ledger, lanes: number, random: Random): CommitDraft {
  const id = `${random.id63()}`;
  const partitions = Array.from({ length: lanes }, (_, partition) => partition);
  const snapshotOf = ledger.version % lanes;
  const path = `session_date=${DATE}/part-${id}-0-${id}.parquet`;
  const rows = EVENTS_A_COMMIT / 10;
  const entries = partitions.map((partition) => {
    const known = ledger.lane(partition);
    const from = Number(known?.committedTo ?? 0n);
    const to = known === undefined ? 0 : from + EVENTS_A_COMMIT;
    const snapshot = { path: `_headrace/snapshots/${partition}/${to}-${id}.snap`, sizeBytes: FILE_BYTES };
    return {
      partition,
      from,
      to,
      watermarkMs: 1_767_225_600_000 + to,
      marks: {},
      rows,
      deadLetters: 0,
      crc: random.below(2 ** 31),
      parent: known?.version ?? -1,
      ...(known === undefined ? { start: true as const } : {}),
      ...(known !== undefined && partition === snapshotOf ? { snapshot } : {}),
    };
  });
  const laneRows = partitions.map((partition) => ({ partition, rows }));
  const files = [{ path, rows: rows * lanes, lanes: partitions, laneRows }];
  return {
    files: [{ ...files[0]!, partitionValues: { session_date: DATE }, sizeBytes: FILE_BYTES, stats: STATS }],
    lanes: entries.map(({ partition, to }) => ({ partition, to: BigInt(to) })),
    cuts: [{ id, createdAtMs: systemClock.nowMs(), lanes: entries, deadLetterFiles: [], files }],
  };
}

/** Throws Error unless the log has so many versions, each with all lanes moved on by its commit, and a file. */
export async function proveTable(store: ObjectStore, versions: number, lanes: number): Promise<void> {
  const listed = (await store.list('_delta_log/')).filter(({ path }) => /\/\d{20}\.json$/.test(path));
  const history = new LedgerHistory(SOURCE);
  const delta = await DeltaLog.open(store, { ...historyFrom(history), keepFiles: true });
  const wrong: string[] = [];
  if (delta?.version !== versions) wrong.push(`the newest version is ${delta?.version}, not ${versions}`);
  // version 0 has none, the first commit only starts the lanes
  const to = BigInt((versions - 1) * EVENTS_A_COMMIT);
  for (let partition = 0; partition < lanes; partition++) {
    const at = history.lane(TOPIC_ID, partition)?.committedTo;
    if (at !== to) wrong.push(`lane ${partition} stands at ${at}, not at ${to}`);
  }
  if (delta?.activeFiles.size !== versions) wrong.push(`${delta?.activeFiles.size} files, not ${versions}`);
  if (listed.length > versions + 1) wrong.push(`${listed.length} log files for ${versions + 1} versions`);
  if (wrong.length > 0) throw new Error(`the table is not right: ${wrong.slice(0, 3).join('; ')}`);
}
