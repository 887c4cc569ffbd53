import type { FileInserter } from '#src/followers/clickhouse/file-inserter.js';
import type { FollowerTables } from '#src/followers/clickhouse/tables.js';
import type { TopicSink } from '#src/followers/topics/sink.js';
import type { LaneFollower } from '#src/lanes/lane-follower.js';
import type { SealedReport, SnapshotRef } from '#src/ledger/types.js';
import type { EngineSeams } from '../../support/fake-engine.js';
import { CLICKHOUSE_RULES } from './rules-clickhouse.js';
import { COMMIT_RULES } from './rules-commit.js';
import { RECOVERY_RULES } from './rules-recovery.js';
import { TOPIC_RULES } from './rules-topics.js';
import type { SimEngine } from './sim-engine.js';

/**
 * The rules of exactly once that can be left out of the simulated engines, each with what an engine does that does not keep to
 * it. Nothing is switched in the product: a rule is left out by what stands between its parts and what they say to each other.
 */

/** Where a rule can be left out of an engine. */
export interface Seams {
  engine?: EngineSeams;
  /** What the coordinator is told of a worker's seal. */
  sealed?(report: SealedReport): SealedReport;
  /** A snapshot lies in the lake; its cut is not committed yet. */
  snapshotWritten?(snapshot: SnapshotRef): void;
  /** The follower that brings ClickHouse after the ledger. */
  laneFollower?(follower: LaneFollower): LaneFollower;
  topicFollower?(follower: LaneFollower): LaneFollower;
  sink?(sink: TopicSink): TopicSink;
  /** Does the group look at whose transaction it is? */
  checksGeneration?: boolean;
  /** `answer`: time counts up to when an answer is looked at. */
  silence?: 'answer';
  /** Objects of the lake that the engine does not look at. */
  unseen?: RegExp;
  /** When is what lies in the lake on its disk? */
  fsync?: 'never';
  /** It says that it decides rows by what the table was written by, whatever its model. */
  semantics?: 'unchecked';
  tables?(tables: FollowerTables): FollowerTables;
  inserter?(inserter: FileInserter): FileInserter;
}

export interface Rule {
  /** What an engine does that does not keep to it. */
  without: string;
  /** Another tool cleans up what is old, whoever still needs it. */
  horizon?: 'ignored';
  seams(engine: SimEngine): Seams;
}

export const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({ ...COMMIT_RULES, ...RECOVERY_RULES, ...CLICKHOUSE_RULES, ...TOPIC_RULES }),
);

/** Rules without which nothing fails here, since what they guard against is not built or not simulated. */
export const NOT_SIMULATED: Readonly<Record<string, string>> = {
  '19 (views)': 'the simulated ClickHouse has no materialized views',
};
