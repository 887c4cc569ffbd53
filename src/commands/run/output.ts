import type { Clock } from '../../clock.js';
import type { EngineConfig, OutputConfig } from '../../config/types.js';
import { type FollowerLag, LagWatch } from '../../followers/lag.js';
import { tellingNotMirrored } from '../../followers/not-mirrored.js';
import { rewrittenRequest } from '../../followers/rewritten-files.js';
import { TopicFollower } from '../../followers/topics/follower.js';
import { KafkaTopicSink } from '../../followers/topics/kafka-sink.js';
import { LanePlaces } from '../../followers/topics/places.js';
import { LaneRegistry } from '../../followers/topics/registry.js';
import type { Cluster } from '../../kafka/cluster.js';
import type { Group } from '../../kafka/group.js';
import { librdkafkaOf } from '../../kafka/security/access.js';
import type { Topic } from '../../kafka/topic.js';
import type { Ledger } from '../../ledger/ledger.js';
import { offsetNote } from '../../ledger/offset-note.js';
import type { CommitPlan } from '../../ledger/protocol.js';
import type { WorkerPool } from '../../pool/pool.js';
import { WorkerRecords } from '../../pool/worker-records.js';
import type { Random } from '../../random.js';
import type { Log } from '../../telemetry/log.js';
import type { PreparedLake } from './lake.js';

export interface OutputOptions {
  config: EngineConfig;
  lake: PreparedLake;
  ledger: Ledger;
  pool: WorkerPool;
  cluster: Cluster;
  topic: Topic;
  group: Group;
  engineId: string;
  workerOf(partition: number): number | undefined;
  /** Where the slowest follower stands; null: not known yet. */
  slowest(partition: number): bigint | null;
  onReached(partition: number, version: number, offset: bigint): void;
  clock: Clock;
  random: Random;
  log: Log;
}

/** What follows the table into topics. */
export class OutputFollowing {
  readonly follower: TopicFollower;
  /** Is told what the workers answer. */
  readonly records: WorkerRecords;
  readonly #options: OutputOptions;
  readonly #lag = new LagWatch();

  constructor(topics: OutputConfig, options: OutputOptions) {
    this.#options = options;
    const { config, lake, ledger, pool, cluster, topic, group, engineId, workerOf, clock, log } = options;
    this.records = new WorkerRecords((worker, message) => pool.post(worker, message));
    const readVersion = tellingNotMirrored(
      async (version) => (await lake.delta.readVersion(version))?.actions ?? null,
      { log, meaning: 'output topics keep what was sent and go on with what is committed' },
    );
    const newestVersion = () => ledger.version;
    const sink = new KafkaTopicSink({
      brokers: config.kafka.brokers,
      clientId: config.kafka.clientId,
      transactionalId: transactionalId(config, engineId),
      engineId,
      topics: { output: topics.topic, deadLetters: topics.deadLetters, positions: topics.positions },
      partitions: topic.partitions.length,
      cluster,
      group,
      groupOffset: async (partition) =>
        options.slowest(partition) ?? (await committedOffset(options, partition)),
      groupNote: () => offsetNote(ledger.tableId, ledger.version),
      extra: librdkafkaOf(config.kafka),
      clock,
      log,
    });
    const places = new LanePlaces({
      registry: new LaneRegistry(lake.store, topics.positions),
      startOf: (partition) => {
        const lane = ledger.lane(partition);
        if (lane === undefined || lane.resetIn !== null) return null;
        if (lane.cuts.length + lane.snapshots.length > 0) return null;
        return lane.committedTo === lane.startOffset ? lane.version : null;
      },
      readVersion,
      newestVersion,
      start: topics.missingPosition === 'halt' ? null : topics.missingPosition,
      topic: topics.positions,
    });
    this.follower = new TopicFollower({
      ...options,
      sink,
      places,
      readRecords: (partition, request) => {
        const asIsNow = rewrittenRequest(request, (path) => ledger.rewriteOf(path));
        return this.records.read(workerOf(partition) ?? 0, asIsNow);
      },
      readVersion: async (version) => {
        const actions = await readVersion(version);
        if (actions !== null) this.#lag.read(version, actions);
        return actions;
      },
      newestVersion,
      appId: (partition) => ledger.appId(partition),
    });
  }

  /** What this engine commits is known at once, also while nothing can be sent. */
  committed(version: number, { cuts }: CommitPlan): void {
    this.#lag.committed(version, cuts);
  }

  /** Null: it is not known yet where any lane stands in the topics. */
  lag(): FollowerLag | null {
    const { ledger, clock } = this.#options;
    const { positions } = this.follower;
    if (positions.size === 0) return null;
    const watermarkOf = (partition: number) => ledger.lane(partition)?.watermarkMs ?? null;
    return this.#lag.now(positions, watermarkOf, clock.nowMs());
  }
}

/** One an engine. A static member has the same again after a restart: what it left open ends at once. */
function transactionalId({ kafka }: EngineConfig, engineId: string): string {
  return `headrace/${kafka.group}/${kafka.topic}/${kafka.instanceId ?? engineId}`;
}

/** What the group has already, so that a transaction does not change it. */
async function committedOffset({ group, ledger }: OutputOptions, partition: number): Promise<bigint> {
  const committed = (await group.committed([partition])).get(partition);
  return committed?.offset ?? ledger.lane(partition)!.startOffset;
}
