import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerConnection } from '#src/kafka/broker-connection.js';
import { benchConnection } from '../bench-connection.js';
import { ClickHouseSide } from '../clickhouse-side.js';
import { EngineChild } from '../engine-child.js';
import type { KafkaCluster } from '../kafka-cluster/cluster.js';
import { Reaper } from '../kafka-cluster/reaper.js';
import { untilLeading } from '../pipeline/fill.js';
import { LedgerWatch } from '../pipeline/ledger-watch.js';
import { type MachineTicks, machineTicks, processSeconds, stealShare } from '../pipeline/proc.js';
import { sumTable } from '../pipeline/table-check.js';
import { readCutTimes } from './cut-times.js';
import { type Moments, proveRows, type SessionRow } from './figures.js';
import type { LatencyOptions } from './options.js';
import { sendSteadily } from './send.js';
import { type Stream, TICK_MS } from './stream.js';
import { VisibleWatch } from './visible-watch.js';

/**
 * One run: broker, engine and ClickHouse, each a process of its own; the stream is sent, the rows are watched for, and in the
 * end they are the sessions that the stream closes.
 */

export interface LatencyRun {
  rows: SessionRow[];
  moments: Moments;
  eventsPerSecond: number;
  cpuSeconds: { engine: number; clickhouse: number; broker: number };
  steal: number;
  poll: { answers: number; pollingMs: number; seconds: number };
}

export interface LatencyRunOptions extends LatencyOptions {
  /** Path of the built engine.js. */
  engine: string;
  /** Of this run alone. */
  folder: string;
  cluster: KafkaCluster;
  stream: Stream;
  /** The first tick that counts. */
  fromTick: number;
  onSecond: (second: number, rows: number) => void;
}

const MODEL = 'clickstream';
const TOPIC = 'clickstream_events';
const DATABASE = 'latency';
const TIMEOUT_MS = 60_000;
const STOP_MS_MAX = 60_000;
const POLL_MS = 50;

/** Throws Error when the rows are not right, or do not come. */
export async function runOnce(options: LatencyRunOptions): Promise<LatencyRun> {
  const { cluster, engine, folder, partitions } = options;
  const reaper = new Reaper(folder);
  let side: ClickHouseSide | null = null;
  let connection: BrokerConnection | null = null;
  try {
    await cluster.createTopic({ name: TOPIC, partitions, config: { 'retention.ms': -1 } });
    side = await ClickHouseSide.start(join(folder, 'clickhouse'));
    await side.migrate(engine, MODEL, DATABASE);
    connection = await benchConnection(cluster.brokers[0]!);
    await untilLeading(connection, TOPIC, partitions);
    mkdirSync(join(folder, 'engine'));
    const table = join(folder, 'engine', 'sessions');
    const child = startEngine(options, side, table, reaper);
    await untilStarted(child, table);
    const watch = new VisibleWatch(side, DATABASE, options.pollMs);
    const measured = await measure(options, { side, connection, child, watch });
    await child.stop(STOP_MS_MAX);
    const rows = await side.query<SessionRow>(
      `SELECT session_id, sign, toFloat64(total_events) AS total_events, closed_by, toString(file_id) AS file,
         toString(batch_id) AS cut FROM ${DATABASE}.session_metrics`,
    );
    proveRows(rows, options.stream.closed);
    const { cuts, files } = readCutTimes(table);
    const { sessions } = sumTable(table, files);
    if (sessions !== rows.length)
      throw new Error(`the table has ${sessions} sessions, ClickHouse ${rows.length}`);
    const { sent, ...figures } = measured;
    return { ...figures, rows, moments: { sent, cuts, seenMs: watch.seenMs } };
  } finally {
    connection?.close();
    await side?.stop();
    reaper.finish();
  }
}

interface Parts {
  side: ClickHouseSide;
  connection: BrokerConnection;
  child: EngineChild;
  watch: VisibleWatch;
}

/** Sends the stream and waits until all its sessions can be seen. */
async function measure(
  { stream, fromTick, cluster, onSecond, eventsPerSecond: asked }: LatencyRunOptions,
  { side, connection, child, watch }: Parts,
) {
  const brokerPid = cluster.brokers[0]!.pid!;
  const cpu = () => ({
    engine: processSeconds(child.pid),
    clickhouse: side.cpuSeconds(),
    broker: processSeconds(brokerPid),
  });
  let before: { cpu: ReturnType<typeof cpu>; ticks: MachineTicks } | null = null;
  const watchedFrom = performance.now();
  watch.start();
  const sent = await sendSteadily(connection, TOPIC, stream.ticks, (tick) => {
    if (tick === fromTick) before = { cpu: cpu(), ticks: machineTicks() };
    if (((tick + 1) * TICK_MS) % 1_000 === 0) onSecond(((tick + 1) * TICK_MS) / 1_000, watch.rows);
  });
  const { cpu: from, ticks: fromTicks } = before!;
  const to = cpu();
  const steal = stealShare(fromTicks, machineTicks());
  const deadline = performance.now() + TIMEOUT_MS;
  while (watch.rows < stream.closed.length && performance.now() < deadline) {
    if (await child.endsWithin(POLL_MS)) throw new Error(`the engine ended:\n${child.tail()}`);
  }
  await watch.stop();
  const counted = stream.ticks.slice(fromTick);
  const lastMs = sent.ackedMs.reduce((last, ms) => Math.max(last, ms), 0);
  // the last tick stands for its own interval
  const seconds = Math.max(lastMs - sent.sentMs[fromTick]!, counted.length * TICK_MS) / 1_000;
  return {
    sent,
    eventsPerSecond: Math.min(asked, counted.reduce((sum, { events }) => sum + events, 0) / seconds),
    cpuSeconds: {
      engine: to.engine - from.engine,
      clickhouse: to.clickhouse - from.clickhouse,
      broker: to.broker - from.broker,
    },
    steal,
    poll: {
      answers: watch.polls,
      pollingMs: watch.pollingMs,
      seconds: (performance.now() - watchedFrom) / 1_000,
    },
  };
}

function startEngine(
  { engine, folder, cluster, engineFlags }: LatencyRunOptions,
  side: ClickHouseSide,
  table: string,
  reaper: Reaper,
): EngineChild {
  const source = ['--brokers', cluster.bootstrap, '--topic', TOPIC, '--group', 'bench-latency'];
  const sinks = ['--model', MODEL, '--lake', table, ...side.flags(DATABASE)];
  return new EngineChild(
    engine,
    ['run', ...source, ...sinks, ...engineFlags],
    join(folder, 'engine'),
    reaper,
  );
}

/** Until the ledger has where the lanes start: from then on the engine fetches. */
async function untilStarted(child: EngineChild, table: string): Promise<void> {
  const ledger = new LedgerWatch(table);
  const deadline = performance.now() + TIMEOUT_MS;
  while (ledger.startedMs === null) {
    if (await child.endsWithin(0)) throw new Error(`the engine ended:\n${child.tail()}`);
    if (performance.now() > deadline) throw new Error(`the engine did not start:\n${child.tail()}`);
    ledger.poll();
    await sleep(POLL_MS);
  }
}
