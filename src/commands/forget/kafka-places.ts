import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import type { Cluster } from '../../kafka/cluster.js';
import { deleteRecords } from '../../kafka/delete-records.js';
import { Producer } from '../../kafka/producer.js';
import { librdkafkaOf } from '../../kafka/security/access.js';
import { type PartitionRange, readTopic } from '../../kafka/topic-reader.js';
import type { Log } from '../../telemetry/log.js';
import { connectTopic } from '../ledger/connect.js';
import { isLetterOf } from './letter-match.js';
import type { Person } from './person.js';
import type { Progress } from './progress.js';
import { counted, type PlaceReport } from './report.js';
import { deletable, type PartitionLetters, retentionText } from './topic-records.js';

/**
 * The topics. The source topic is its owner's, and what it holds goes with its retention: without its events no engine could come back.
 * In the output topic rows can be taken back only where it is compacted. Of the dead letters' topic the beginning can be deleted, as
 * far as all of it is the person's.
 */
export interface KafkaPlacesOptions {
  config: EngineConfig;
  person: Person;
  sessionKeys: ReadonlySet<string>;
  dryRun: boolean;
  progress: Progress;
  log: Log;
}

const SILENCE_MS_MAX = 15_000;
const FLUSH_MS = 10_000;
const ROOM_BELOW = 50_000;

/** Never rejects for what brokers do: it is in the report then. */
export async function kafkaPlaces(options: KafkaPlacesOptions): Promise<PlaceReport[]> {
  const { config, log } = options;
  try {
    const { cluster } = await connectTopic(config, log);
    try {
      return [
        await sourceTopic(cluster, config.kafka.topic),
        ...(config.output === null
          ? []
          : [
              await outputTopic(cluster, config.output.topic, options),
              await letterTopic(cluster, config.output.deadLetters, options),
            ]),
      ];
    } finally {
      await cluster.close();
    }
  } catch (error) {
    return [
      {
        place: 'Kafka',
        found: 'not asked',
        done: 'nothing',
        left: messageOf(error),
        isOpen: !options.dryRun,
      },
    ];
  }
}

async function sourceTopic(cluster: Cluster, name: string): Promise<PlaceReport> {
  const retention = retentionText(await settingsOf(cluster, name));
  const left = `the events: ${retention}`;
  return { place: `topic ${name}`, found: 'not looked through', done: 'nothing', left, isOpen: false };
}

async function outputTopic(
  cluster: Cluster,
  name: string,
  { config, sessionKeys, dryRun, log }: KafkaPlacesOptions,
): Promise<PlaceReport> {
  const place = `topic ${name}`;
  const partitions = await partitionsOf(cluster, name);
  if (partitions.length === 0) return missingTopic(place);
  const settings = await settingsOf(cluster, name);
  const found = 'not looked through';
  if (settings.policy?.includes('compact') !== true) {
    return { place, found, done: 'nothing', left: `the rows: ${retentionText(settings)}`, isOpen: false };
  }
  if (!dryRun && sessionKeys.size > 0) await sendTombstones(config, name, sessionKeys, log);
  const done = `${counted(sessionKeys.size, 'tombstone')}`;
  return {
    place,
    found,
    done,
    left: 'until the brokers compact it, older records of these keys',
    isOpen: false,
  };
}

async function letterTopic(
  cluster: Cluster,
  name: string,
  { config, person, dryRun, progress }: KafkaPlacesOptions,
): Promise<PlaceReport> {
  const place = `topic ${name}`;
  const partitions = await partitionsOf(cluster, name);
  if (partitions.length === 0) return missingTopic(place);
  const { letters, isWhole, records } = await readLetters(config, name, partitions, person, progress);
  const own = letters.reduce((sum, each) => sum + each.own.length, 0);
  const due = letters.flatMap((each) => {
    const part = deletable(each);
    return part === null ? [] : [{ topic: name, partition: each.partition, offset: part.below, ...part }];
  });
  // of a topic that was not read to its end nobody knows what lies there
  const deleted = due.reduce((sum, { records: count }) => sum + count, 0);
  if (!dryRun && due.length > 0) {
    const { brokers, clientId } = config.kafka;
    const extra = librdkafkaOf(config.kafka);
    await deleteRecords(
      { brokers, clientId, extra },
      due.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
    );
  }
  const retention = retentionText(await settingsOf(cluster, name));
  const kept = own - deleted;
  return {
    place,
    found: `${counted(own, 'record')} of ${records}`,
    done: deleted === 0 ? 'nothing' : `${counted(deleted, 'record')} deleted`,
    left: !isWhole
      ? 'it could not be read to its end in time'
      : kept > 0
        ? `${counted(kept, 'record')} behind others': ${retention}`
        : null,
    isOpen: !isWhole,
  };
}

async function readLetters(
  { kafka }: EngineConfig,
  topic: string,
  partitions: readonly number[],
  person: Person,
  progress: Progress,
): Promise<{ letters: PartitionLetters[]; isWhole: boolean; records: number }> {
  const own = new Map<number, number[]>(partitions.map((partition) => [partition, []]));
  const firstOther = new Map<number, number>();
  let records = 0;
  const { isWhole }: { ranges: PartitionRange[]; isWhole: boolean } = await readTopic(
    {
      brokers: kafka.brokers,
      clientId: kafka.clientId,
      topic,
      partitions,
      clock: systemClock,
      silenceMsMax: SILENCE_MS_MAX,
      extra: librdkafkaOf(kafka),
    },
    ({ partition, offset, key, value }) => {
      records++;
      progress.tell(() => `topic ${topic}: ${counted(records, 'record')} looked through`);
      const bytes = typeof key === 'string' ? Buffer.from(key) : key;
      if (isLetterOf({ key: bytes, value }, person)) own.get(partition)!.push(offset);
      else if (!firstOther.has(partition)) firstOther.set(partition, offset);
    },
  );
  const letters = [...own].map(([partition, offsets]) => ({
    partition,
    own: offsets,
    firstOther: firstOther.get(partition) ?? null,
  }));
  return { letters, isWhole, records };
}

async function sendTombstones(
  { kafka }: EngineConfig,
  topic: string,
  keys: ReadonlySet<string>,
  log: Log,
): Promise<void> {
  const { brokers, clientId } = kafka;
  const extra = librdkafkaOf(kafka);
  const producer = new Producer({ brokers, clientId, log, clock: systemClock, extra });
  await producer.connect();
  try {
    for (const key of keys) {
      while (producer.produce(topic, null, Buffer.from(key), null, systemClock.nowMs()) === 'full')
        await producer.untilBelow(ROOM_BELOW);
    }
  } finally {
    await producer.close(FLUSH_MS);
  }
}

async function partitionsOf(cluster: Cluster, name: string): Promise<number[]> {
  const [info] = await cluster.describe([name]);
  return (info?.partitions ?? []).map(({ partition }) => partition);
}

async function settingsOf(cluster: Cluster, name: string) {
  const [policy, retentionMs] = [
    await cluster.setting(name, 'cleanup.policy'),
    await cluster.setting(name, 'retention.ms'),
  ];
  return { policy: policy ?? null, retentionMs: retentionMs ?? null };
}

function missingTopic(place: string): PlaceReport {
  return { place, found: 'it does not exist', done: 'nothing', left: null, isOpen: false };
}
