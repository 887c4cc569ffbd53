import type { EngineConfig, LakeConfig } from '../../config/types.js';
import type { HeadraceError } from '../../errors.js';
import { lastCheckpoint } from '../../lake/delta/checkpoint.js';
import type { DeltaLog } from '../../lake/delta/log.js';
import { ensureTable } from '../../lake/delta/table.js';
import { tablePlace } from '../../lake/delta/table-place.js';
import { openStore } from '../../lake/store/open-store.js';
import { probeWritable, startFailure } from '../../lake/store/probe.js';
import type { ObjectStore } from '../../lake/store/store.js';
import type { StoreRetries } from '../../lake/store/store-retries.js';
import { LedgerHistory } from '../../ledger/history.js';
import { historyFrom } from '../../ledger/ledger.js';
import { checkSemantics, keepSemantics, type Semantics } from '../../ledger/semantics.js';
import type { LedgerEntry } from '../../ledger/types.js';
import type { CompiledModel } from '../../model/types.js';
import { addColumns } from './added-columns.js';

/** The sessions table, writable, ours, and read to its newest version. */
export interface PreparedLake {
  /** Where the table itself lies. */
  place: LakeConfig;
  store: ObjectStore;
  delta: DeltaLog;
  history: LedgerHistory;
  created: boolean;
  /** Version of the newest checkpoint; −1: there is none. */
  checkpoint: number;
  retries: StoreRetries;
}

/** What is worth a line. */
export interface LakeNews {
  /** A checkpoint can't be read; another one, or the log, is read instead. */
  onDamaged(error: HeadraceError): void;
  /** Columns were added to the table, in this version. */
  onAdded(columns: readonly string[], version: number): void;
  /** Requests that an object store did not do at once. */
  retries: StoreRetries;
}

/** Checks (or creates) the table before Kafka is asked anything: what is wrong with it must not cost a rebalance. */
export async function prepareLake(
  config: EngineConfig,
  model: CompiledModel,
  identity: { engineId: string; attempt: string; semantics: Semantics; version: string; nowMs: number },
  { onDamaged, onAdded, retries }: LakeNews,
): Promise<PreparedLake> {
  const place = await tablePlace(config.lake).catch((error: unknown) => {
    throw startFailure(config.lake.path, error);
  });
  const onRetry = retries.tell.bind(retries);
  const store = await openStore(place, { prepares: true, onRetry });
  await probeWritable(store);
  const owner = { group: config.kafka.group, topic: config.kafka.topic };
  const history = new LedgerHistory(owner);
  const { engineId, attempt, semantics, version, nowMs } = identity;
  const entry: LedgerEntry = { format: 1, attempt, engine: engineId, semantics: semantics.hash, cuts: [] };
  const { log, created } = await ensureTable(store, model, owner, {
    ...historyFrom(history),
    fromCheckpoint: true,
    acceptLacking: true,
    onDamaged,
    commitInfo: {
      timestamp: nowMs,
      operation: 'CREATE TABLE',
      operationParameters: {},
      isBlindAppend: true,
      engineInfo: `headrace/${version}`,
      headrace: entry,
    },
  });
  await keepSemantics(store, semantics);
  await addColumns({ ...identity, store, delta: log, history, owner, model, config, onAdded });
  await checkSemantics(store, history.lastSemantics, semantics);
  const checkpoint = await lastCheckpoint(store);
  return { place, store, delta: log, history, created, checkpoint, retries };
}
