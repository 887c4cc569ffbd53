import type { Clock } from '#src/clock.js';
import { attemptOf } from '#src/lake/delta/actions.js';
import { decodeVersion } from '#src/lake/delta/decode.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { versionOf } from '#src/lake/delta/path.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { LedgerHistory, type VersionFacts } from '#src/ledger/history.js';
import { factsOf, historyFrom, Ledger } from '#src/ledger/ledger.js';
import type { CutLaneEntry } from '#src/ledger/types.js';
import type { Random } from '#src/random.js';
import type { Log } from '#src/telemetry/log.js';
import { FakeLog } from './fake-log.js';
import type { MemoryStore } from './fake-store.js';
import { commitInfo } from './lake-table.js';

/** Real ledgers on tables without columns. */

export const SOURCE = { group: 'group', topic: 'clicks' };
export const TOPIC_ID = 'topic-id';

export async function createTable(
  store: ObjectStore,
  configuration: Record<string, string> = {},
): Promise<void> {
  const entry = { engine: 'creator', semantics: 'rules', cuts: [] };
  const log = await DeltaLog.create(store, {
    id: '00000000-0000-4000-8000-000000000000',
    name: 'sessions',
    description: '',
    schemaString: '{"type":"struct","fields":[]}',
    partitionColumns: [],
    configuration,
    createdTimeMs: 1,
    commitInfo: commitInfo('create', entry),
  });
  if (log === 'conflict') throw new Error('the table is there already');
}

export interface LedgerSetup {
  engineId: string;
  clock: Clock;
  random: Random;
  log?: Log;
  semantics?: string;
  onForeign?(version: number, partitions: number[]): void;
  /** Stands between the ledger and its log. */
  wrap?(delta: DeltaLog): DeltaLog;
}

export async function openLedger(store: ObjectStore, setup: LedgerSetup): Promise<Ledger> {
  const { engineId, clock, random, log = new FakeLog(), semantics = 'rules', onForeign = () => {} } = setup;
  const history = new LedgerHistory(SOURCE);
  const delta = await DeltaLog.open(store, historyFrom(history));
  if (delta === null) throw new Error('there is no table');
  const identity = { ...SOURCE, topicId: TOPIC_ID, engineId, semantics, version: 'test' };
  return new Ledger(setup.wrap?.(delta) ?? delta, history, { log, clock, random, onForeign, ...identity });
}

export interface StoredVersion {
  version: number;
  engine: string;
  attempt: string;
  paths: string[];
  facts: VersionFacts;
}

/** All that the table's log says, read past every fault. Throws where a version is missing. */
export function storedVersions(store: MemoryStore): StoredVersion[] {
  const versions = [...store.objects].flatMap(([path, bytes]) => {
    const version = versionOf(path);
    return version === null ? [] : [decoded(version, bytes)];
  });
  versions.sort((a, b) => a.version - b.version);
  versions.forEach(({ version }, index) => {
    if (version !== index) throw new Error(`version ${index} is missing`);
  });
  return versions;
}

const known = new WeakMap<Uint8Array, StoredVersion>();

function decoded(version: number, bytes: Uint8Array): StoredVersion {
  const before = known.get(bytes);
  if (before !== undefined) return before;
  const actions = decodeVersion(version, bytes);
  const facts = factsOf({ version, actions });
  const paths = actions.flatMap((action) => ('add' in action ? [action.add.path] : []));
  const { engine } = facts.entry!;
  const stored = { version, engine, attempt: attemptOf(actions)!, paths, facts };
  known.set(bytes, stored);
  return stored;
}

/** The log folded anew, lane by lane. */
export function foldedHistory(store: MemoryStore): LedgerHistory {
  const history = new LedgerHistory(SOURCE);
  for (const { facts } of storedVersions(store)) history.apply(facts);
  return history;
}

export function laneEntry(partition: number, from: number, to: number, parent: number): CutLaneEntry {
  const empty = { watermarkMs: null, marks: {}, deadLetters: 0, crc: 0 };
  return { partition, from, to, parent, rows: 1, ...empty };
}
