import { asClickHouseError } from '../../clickhouse/errors.js';
import { openClickHouse, targetOf } from '../../clickhouse/target.js';
import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import { ClickHouseTables } from '../../followers/clickhouse/tables.js';
import { decodePosition } from '../../followers/topics/positions.js';
import { committedOffsets } from '../../kafka/committed-offsets.js';
import { CompactedReader } from '../../kafka/compacted-reader.js';
import { librdkafkaOf } from '../../kafka/security/access.js';
import { tableOfNote } from '../../ledger/offset-note.js';
import { loadModel } from '../../model/load.js';
import type { Log } from '../../telemetry/log.js';
import { REACH_MS } from '../connect-brokers.js';
import { connectTopic } from './connect.js';
import type { OpenedTable } from './open-table.js';

/** How far one follower is with one lane. */
export interface FollowerPlace {
  /** ClickHouse, the topic of the positions, or the consumer group. */
  follower: string;
  kind: 'clickhouse' | 'topics' | 'group';
  /** Everything up to this version of the table is there; null: it has no position, or was not asked. */
  version: number | null;
  /** The group's committed offset. */
  offset: bigint | null;
  /** What else there is to say. */
  note: string | null;
}

export interface FollowerPlaces {
  /** By app id. */
  lanes: ReadonlyMap<string, FollowerPlace[]>;
  /** Who could not be asked, and why. */
  troubles: string[];
}

interface LaneId {
  partition: number;
  appId: string;
}

const REGISTRATIONS = '_headrace/followers/';

/** Topics that are registered in the table: what it knows itself, without asking anybody. */
export async function registeredPlaces({
  store,
}: Pick<OpenedTable, 'store'>): Promise<Map<string, FollowerPlace[]>> {
  const places = new Map<string, FollowerPlace[]>();
  for (const { path } of await store.list(REGISTRATIONS)) {
    const match = /^(.+)\/([^/]+)\/(\d+)\.json$/.exec(path.slice(REGISTRATIONS.length));
    const bytes = match === null ? null : await store.get(path);
    if (match === null || bytes === null) continue;
    const [, topic, topicId, partition] = match as unknown as [string, string, string, string];
    const { from, positioned } = JSON.parse(Buffer.from(bytes).toString()) as {
      from: number;
      positioned: boolean;
    };
    const note = positioned
      ? `registered at version ${from}`
      : `registered at version ${from}, nothing sent yet`;
    const lane = `${topicId}/${partition}`;
    const place: FollowerPlace = { follower: topic, kind: 'topics', version: null, offset: null, note };
    places.set(lane, [...(places.get(lane) ?? []), place]);
  }
  return places;
}

/** Asks those that the configuration names, all at once; none is waited for longer than some seconds. */
export async function askFollowers(
  config: EngineConfig,
  opened: Pick<OpenedTable, 'delta'>,
  lanes: readonly LaneId[],
  log: Log,
): Promise<FollowerPlaces> {
  const asked: [string, Promise<Map<string, FollowerPlace>>][] = [
    [`group ${config.kafka.group}`, groupOffsets(config, opened, lanes)],
  ];
  if (config.clickhouse !== null) asked.push(['ClickHouse', clickHousePositions(config, lanes)]);
  if (config.output !== null) {
    asked.push([
      `topic ${config.output.positions}`,
      topicPositions(config, config.output.positions, lanes, log),
    ]);
  }
  const places = new Map<string, FollowerPlace[]>();
  const troubles: string[] = [];
  const answers = await Promise.allSettled(asked.map(([, answer]) => answer));
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'rejected') {
      troubles.push(`${asked[index]![0]}: ${messageOf(answer.reason)}`);
      continue;
    }
    for (const [appId, place] of answer.value) places.set(appId, [...(places.get(appId) ?? []), place]);
  }
  return { lanes: places, troubles };
}

async function clickHousePositions(
  config: EngineConfig,
  lanes: readonly LaneId[],
): Promise<Map<string, FollowerPlace>> {
  const target = targetOf(config.clickhouse!, loadModel(config.model));
  const { url, user, database } = target;
  const client = openClickHouse(target);
  try {
    const asError = (error: unknown) => asClickHouseError(error, { url, user, database });
    const tables = new ClickHouseTables({ client: () => client, target, engineId: 'status', asError });
    const found = await tables.positions(lanes.map(({ appId }) => appId));
    return new Map(
      lanes.map(({ appId }) => {
        const version = found.get(appId)?.version ?? null;
        const note = version === null ? 'nothing yet' : null;
        return [appId, { follower: 'ClickHouse', kind: 'clickhouse', version, offset: null, note }];
      }),
    );
  } finally {
    await client.close();
  }
}

async function topicPositions(
  config: EngineConfig,
  positions: string,
  lanes: readonly LaneId[],
  log: Log,
): Promise<Map<string, FollowerPlace>> {
  const { brokers, clientId } = config.kafka;
  const extra = librdkafkaOf(config.kafka);
  const { cluster } = await connectTopic(config, log);
  try {
    const [info] = await cluster.describe([positions]);
    if (info === undefined || info.partitions.length === 0) throw new Error('it does not exist');
    const reader = new CompactedReader({ brokers, clientId, topic: positions, clock: systemClock, extra });
    const partitions = info.partitions.map(({ partition }) => partition);
    const values = await reader.read(info.topicId, partitions, REACH_MS);
    return new Map(
      lanes.map(({ appId }) => {
        const position = decodePosition(values.get(appId) ?? null);
        const records = position?.records ?? 0;
        const note =
          position === null ? 'nothing yet' : records > 0 ? `and ${records} records of the next` : null;
        const version = position?.version ?? null;
        return [appId, { follower: positions, kind: 'topics', version, offset: null, note }];
      }),
    );
  } finally {
    await cluster.close();
  }
}

async function groupOffsets(
  { kafka }: EngineConfig,
  { delta }: Pick<OpenedTable, 'delta'>,
  lanes: readonly LaneId[],
): Promise<Map<string, FollowerPlace>> {
  const committed = await committedOffsets({
    ...kafka,
    extra: librdkafkaOf(kafka),
    partitions: lanes.map(({ partition }) => partition),
    timeoutMs: REACH_MS,
    clock: systemClock,
  });
  return new Map(
    lanes.map(({ partition, appId }) => {
      const found = committed.get(partition);
      const note = found === undefined ? 'nothing yet' : strangerOf(found.metadata, delta.metaData.id);
      const offset = found?.offset ?? null;
      return [appId, { follower: kafka.group, kind: 'group', version: null, offset, note }];
    }),
  );
}

/** Whose the offset is, where it is not this table's. */
function strangerOf(metadata: string, tableId: string): string | null {
  const table = tableOfNote(metadata);
  if (table === tableId) return null;
  return table === null ? 'not by headrace' : `by table ${table}`;
}
