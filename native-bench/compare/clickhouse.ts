import { setTimeout as sleep } from 'node:timers/promises';
import { EVENT_TYPES } from '#src/generator/journey.js';
import { ClickHouseSide } from '../clickhouse-side.js';
import { trySampleProcess } from '../pipeline/proc.js';
import type { Mark } from './marks.js';
import type { Rival, RivalRun, RivalTask } from './rival.js';
import type { SessionSums } from './session-sums.js';

/** ClickHouse's own way: a table of the engine Kafka, and a view that aggregates what comes from it. */
export const clickhouse: Rival = {
  name: 'clickhouse',
  title: 'ClickHouse, Kafka engine + aggregating view',
  notes: [
    'a view knows no gap: it groups by the session_id that the producer put into each event, which is one a session in this topic',
    'the embedded ClickHouse (chDB); its sessions are rows in a table, at least once; its last question over them is in the whole run',
  ],
  run: runClickHouse,
};

const POLL_MS = 250;
const SILENT_MS_MAX = 300_000;
const MESSAGES_MAX = 65_536;
const FLUSH_MS = 1_000;

async function runClickHouse(task: RivalTask): Promise<RivalRun> {
  const began = performance.now();
  const side = await ClickHouseSide.start(task.folder);
  try {
    for (const statement of statements(task)) await side.command(statement);
    const { marks, peakRssBytes } = await watch(side, task, began);
    const sums = await sumsOf(side);
    const seconds = (performance.now() - began) / 1_000;
    return {
      seconds,
      cpuSeconds: side.cpuSeconds(),
      peakRssBytes: Math.max(peakRssBytes, trySampleProcess(side.pid)?.peakRssBytes ?? 0),
      marks,
      events: marks.at(-1)!.events,
      sums,
    };
  } finally {
    await side.stop();
  }
}

/** Until the view has all events: of a table that it writes, counts can be summed at any time. */
async function watch(
  side: ClickHouseSide,
  { facts, onEvents }: RivalTask,
  began: number,
): Promise<{ marks: Mark[]; peakRssBytes: number }> {
  const marks: Mark[] = [];
  let peakRssBytes = 0;
  let movedMs = performance.now();
  let events = 0;
  while (events < facts.events) {
    await sleep(POLL_MS);
    const [row] = await side.query<{ events: number }>(
      'SELECT toFloat64(sum(events)) AS events FROM sessions',
    );
    const nowMs = performance.now();
    peakRssBytes = Math.max(peakRssBytes, trySampleProcess(side.pid)?.peakRssBytes ?? 0);
    if (row!.events > events) {
      movedMs = nowMs;
      events = row!.events;
      marks.push({ events, cpuSeconds: side.cpuSeconds(), seconds: (nowMs - began) / 1_000 });
      onEvents(events);
    } else if (nowMs - movedMs > SILENT_MS_MAX) {
      throw new Error(`the view got nothing for ${SILENT_MS_MAX / 1_000} s, and has ${events} events`);
    }
  }
  return { marks, peakRssBytes };
}

function statements({ bootstrap, topic, group, threads }: RivalTask): string[] {
  const counts = EVENT_TYPES.map((type) => `${type} SimpleAggregateFunction(sum, UInt64)`).join(', ');
  const counted = EVENT_TYPES.map((type) => `countIf(event_type = '${type}') AS ${type}`).join(', ');
  return [
    `CREATE TABLE events (
       timestamp DateTime64(3, 'UTC'), user_id String, session_id String, event_type LowCardinality(String),
       page_url Nullable(String), geo Tuple(country Nullable(String)), device Tuple(type Nullable(String))
     ) ENGINE = Kafka SETTINGS
       kafka_broker_list = '${bootstrap}', kafka_topic_list = '${topic}', kafka_group_name = '${group}',
       kafka_format = 'JSONEachRow', kafka_num_consumers = ${threads}, kafka_thread_per_consumer = 1,
       kafka_max_block_size = ${MESSAGES_MAX}, kafka_flush_interval_ms = ${FLUSH_MS},
       date_time_input_format = 'best_effort'`,
    `CREATE TABLE sessions (
       user_id String, session_id String,
       first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
       last SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
       events SimpleAggregateFunction(sum, UInt64), ${counts},
       pages AggregateFunction(uniqExact, Nullable(String)),
       country AggregateFunction(argMin, Nullable(String), DateTime64(3, 'UTC')),
       device AggregateFunction(argMin, Nullable(String), DateTime64(3, 'UTC'))
     ) ENGINE = AggregatingMergeTree ORDER BY (user_id, session_id)`,
    `CREATE MATERIALIZED VIEW events_to_sessions TO sessions AS
       SELECT user_id, session_id, min(timestamp) AS first, max(timestamp) AS last, count() AS events, ${counted},
         uniqExactState(page_url) AS pages,
         argMinState(geo.country, timestamp) AS country, argMinState(device.type, timestamp) AS device
       FROM events GROUP BY user_id, session_id`,
  ];
}

async function sumsOf(side: ClickHouseSide): Promise<SessionSums> {
  const merged = EVENT_TYPES.map((type) => `sum(${type}) AS ${type}`).join(', ');
  const sums = (of: (type: string) => string) =>
    `[${EVENT_TYPES.map((type) => `toFloat64(sum(${of(type)}))`).join(', ')}]`;
  const [found] = await side.query<SessionSums>(
    `SELECT toFloat64(count()) AS sessions, toFloat64(sum(of_session)) AS events,
       toFloat64(sum(toUnixTimestamp64Milli(last_time) - toUnixTimestamp64Milli(first_time))) AS durationMs,
       toFloat64(sum(page_count)) AS pages,
       toFloat64(sum(CRC32(concat(ifNull(first_country, ''), '|', ifNull(first_device, ''))))) AS firsts,
       ${sums((type) => type)} AS byType, ${sums((type) => `${type} * ${type}`)} AS squaresByType
     FROM (
       SELECT user_id, session_id, min(first) AS first_time, max(last) AS last_time, sum(events) AS of_session,
         uniqExactMerge(pages) AS page_count, argMinMerge(country) AS first_country,
         argMinMerge(device) AS first_device, ${merged}
       FROM sessions GROUP BY user_id, session_id
     )`,
  );
  return found!;
}
