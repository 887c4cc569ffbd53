import { deltaSchema } from '../columnar/schema.js';
import { HeadraceError } from '../errors.js';
import type { Action } from '../lake/delta/actions.js';
import type { DeltaLog } from '../lake/delta/log.js';
import type { ObjectStore } from '../lake/store/store.js';
import type { CompiledModel } from '../model/types.js';
import { decodeSnapshot, encodeSnapshot } from '../reference/snapshot.js';
import { decodeState, encodeState } from '../reference/state-codec.js';
import { migrateState } from '../reference/state-migration.js';
import { type AddedColumns, unsaid } from './added-columns.js';
import { appIdOf, type LaneHistory, type LedgerHistory } from './history.js';
import type { CutLaneEntry, LedgerEntry } from './types.js';

/**
 * The version that adds columns to a table (rule 16): the schema with them, nullable, and for each lane the snapshot on which it
 * stands, written again for the new model, in a cut of no rows. So a lane can be migrated only where it stands exactly at a snapshot,
 * as it does after an orderly stop. Engines with the model of before meet the version as another's, and end.
 */
export interface ColumnMigration {
  store: ObjectStore;
  delta: DeltaLog;
  history: LedgerHistory;
  owner: { group: string; topic: string };
  model: CompiledModel;
  added: AddedColumns;
  /** The new ones. */
  semantics: string;
  engineId: string;
  /** Of this program. */
  version: string;
  attempt: string;
  cutId: string;
  nowMs: number;
}

/** Writes the lanes' new snapshots; their version. Throws HeadraceError LAKE_NOT_OURS naming the lanes that can't be migrated. */
export async function migrationActions(migration: ColumnMigration): Promise<Action[]> {
  const { history, owner, cutId, nowMs, delta, model, added, engineId, attempt, semantics } = migration;
  const topicId = history.topicIds().at(-1);
  const lanes = topicId === undefined ? [] : history.lanes(topicId);
  const moving = lanes.filter((lane) => !standsAtSnapshot(lane));
  if (moving.length > 0) throw notAtSnapshot(migration, moving);
  const entries: CutLaneEntry[] = [];
  for (const lane of lanes) entries.push(await migrateLane(migration, topicId!, lane));
  const cut = { id: cutId, createdAtMs: nowMs, lanes: entries, deadLetterFiles: [] };
  const entry: LedgerEntry = { format: 1, attempt, engine: engineId, semantics, cuts: [cut] };
  const { schema: _, ...metaData } = delta.metaData;
  return [
    {
      commitInfo: {
        timestamp: nowMs,
        operation: 'ADD COLUMNS',
        operationParameters: { columns: JSON.stringify(added.columns.map((name) => ({ column: name }))) },
        isBlindAppend: false,
        engineInfo: `headrace/${migration.version}`,
        headrace: entry,
      },
    },
    ...(added.columns.length === 0
      ? []
      : [{ metaData: { ...metaData, schemaString: schemaWith(delta, model, added.columns) } }]),
    ...lanes.map(({ partition, committedTo }) => ({
      txn: { appId: appIdOf(owner, topicId!, partition), version: committedTo, lastUpdated: nowMs },
    })),
  ];
}

/** Nothing was taken in behind its newest snapshot, or nothing at all. */
function standsAtSnapshot({ snapshots, cuts, startOffset, committedTo }: LaneHistory): boolean {
  const snapshot = snapshots.at(-1);
  if (snapshot === undefined) return committedTo === startOffset && cuts.length === 0;
  return snapshot.cutId === cuts.at(-1)?.cutId && snapshot.offset === committedTo;
}

async function migrateLane(
  { store, owner, model, added: { before }, cutId }: ColumnMigration,
  topicId: string,
  lane: LaneHistory,
): Promise<CutLaneEntry> {
  const { partition, committedTo, watermarkMs, version } = lane;
  const nothing = { rows: 0, deadLetters: 0, crc: 0, marks: {}, parent: version };
  const to = Number(committedTo);
  const entry = { partition, from: to, to, watermarkMs, ...nothing };
  const snapshot = lane.snapshots.at(-1);
  if (snapshot === undefined) return entry;
  const bytes = await store.get(snapshot.path);
  if (bytes === null) throw unusable(snapshot.path, 'it is not there');
  const appId = appIdOf(owner, topicId, partition);
  const meta = { modelHash: before.hash, appId, partition, offset: snapshot.offset, cutId: snapshot.cutId };
  const state = decodeState(before, decodeSnapshot(bytes, meta));
  const migrated = migrateState(state, before, model, (column) => unsaid(column) ?? null);
  const content = encodeState(model, migrated);
  const file = encodeSnapshot(content, { ...meta, modelHash: model.hash, cutId });
  const path = snapshot.path.replace(/[^/]+$/, `${committedTo.toString().padStart(20, '0')}-${cutId}.snap`);
  await store.put(path, file);
  return { ...entry, snapshot: { path, sizeBytes: file.byteLength } };
}

/** New ones behind the others; nullable, since rows of before have nothing in them. */
function schemaWith(delta: DeltaLog, model: CompiledModel, columns: readonly string[]): string {
  const { fields, ...schema } = JSON.parse(delta.metaData.schemaString) as { fields: unknown[] };
  const added = deltaSchema(model).fields.filter(({ name }) => columns.includes(name));
  return JSON.stringify({
    ...schema,
    fields: [...fields, ...added.map((field) => ({ ...field, nullable: true }))],
  });
}

function notAtSnapshot({ store, added }: ColumnMigration, lanes: readonly LaneHistory[]): HeadraceError {
  const partitions = lanes.map(({ partition }) => partition).join(',');
  return new HeadraceError(
    'LAKE_NOT_OURS',
    `the model has new columns (${added.columns.join(', ') || 'in another order'}), and lanes do not stand at a snapshot`,
    {
      where: { table: store.url, partitions },
      remedy:
        'run once more with the model of before and stop in order (SIGTERM), then start with the new one',
    },
  );
}

function unusable(path: string, why: string): HeadraceError {
  return new HeadraceError(
    'LAKE_NOT_OURS',
    `a lane's snapshot can't be migrated to the new columns: ${why}`,
    {
      where: { path },
      remedy:
        'run with the model of before until the next snapshot, stop in order, then start with the new one',
    },
  );
}
