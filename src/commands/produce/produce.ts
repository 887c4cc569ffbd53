import { availableParallelism } from 'node:os';
import { type Clock, systemClock } from '../../clock.js';
import type { BrokerAccess } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import type { LoadModel } from '../../generator/load/event-layout.js';
import { filmsFor } from '../../generator/load/load.js';
import { type LoadSpec, type LoadWish, planLoad } from '../../generator/load/load-plan.js';
import type { Topic } from '../../kafka/topic.js';
import { createLog } from '../../telemetry/log.js';
import { connectBrokers } from '../connect-brokers.js';
import { Narrator, type NarratorStream } from '../demo-narrator.js';
import { watchSignals } from '../demo-signals.js';
import { BulkRun } from './bulk-run.js';
import { ClientRun } from './client-run.js';
import { ProducerSender } from './record-sender.js';
import { cpuUs, type LoadRun } from './run.js';
import { headline, progressLine, resultJson, resultText, type Statistics } from './statistics.js';

/** What `headrace produce` was asked to do. */
export interface ProduceOptions extends LoadWish, BrokerAccess {
  topic: string;
  model: LoadModel;
  sender: 'client' | 'bulk';
  seed: number;
  eventsPerSessionMean: number;
  /** Null: one less than there are cores. */
  workers: number | null;
  /** Of the sender client; null: none. */
  metricsFile: string | null;
  json: boolean;
  stdout(text: string): void;
  /** Where progress goes. */
  terminal: NarratorStream;
}

const WORKERS_MAX = 4;
const TELL_MS = 1_000;
const FAILED_EXIT_CODE = 75;

/**
 * `headrace produce`: a load of realistic events into a topic. Resolves to 0, 75 when records were given up, or a signal's code. Throws
 * HeadraceError USAGE, KAFKA_UNREACHABLE, KAFKA_TOPIC_MISSING, KAFKA_PROTOCOL.
 */
export async function produceCommand(options: ProduceOptions): Promise<number> {
  const clock = systemClock;
  const log = createLog({ level: 'warn', format: 'auto' });
  const interrupt = watchSignals();
  // that no broker answers is said once, in the end; while it runs the senders tell of what their batches meet
  const quiet = createLog({ level: 'error', format: 'auto' });
  const cluster = await connectBrokers({ brokers: options.brokers, security: options.security, log: quiet });
  try {
    const topic = await topicOf(cluster, options.topic);
    const { spec, speed } = planned(options, topic.partitions.length, clock);
    const common = { spec, speed, clock, signal: interrupt.signal };
    const run =
      options.sender === 'bulk'
        ? new BulkRun({ ...common, cluster, topic, log, workers: workersOf(options) })
        : new ClientRun({ ...common, sender: new ProducerSender({ ...options, log }) });
    const statistics = await told(run, options, { spec, speed, clock, signal: interrupt.signal });
    options.stdout(options.json ? `${JSON.stringify(resultJson(statistics))}\n` : resultText(statistics));
    if (!statistics.isWhole) return await interrupt.code;
    return statistics.standing.failed > 0 ? FAILED_EXIT_CODE : 0;
  } finally {
    interrupt.end();
    await cluster.close();
  }
}

async function topicOf(cluster: Awaited<ReturnType<typeof connectBrokers>>, name: string): Promise<Topic> {
  const [described] = await cluster.describe([name]);
  if (described !== undefined && described.partitions.length > 0) return await cluster.topic(name);
  throw new HeadraceError('KAFKA_TOPIC_MISSING', 'the topic does not exist', {
    where: { topic: name },
    remedy:
      'headrace topics create makes those of the models; or name another with --topic; nothing was sent',
  });
}

function planned(
  options: ProduceOptions,
  partitions: number,
  clock: Clock,
): { spec: LoadSpec; speed: number | null } {
  const { model, sessions, seed, eventsPerSessionMean, dirt, records } = options;
  // how long visits are does not depend on how many users there are
  const { films } = filmsFor({ model, sessions, seed, eventsPerSessionMean, users: options.users ?? 1 });
  const { speed, ...plan } = planLoad(options, films, clock.nowMs());
  return { spec: { model, sessions, seed, eventsPerSessionMean, dirt, records, partitions, ...plan }, speed };
}

function workersOf({ workers }: ProduceOptions): number {
  return workers ?? Math.min(WORKERS_MAX, Math.max(1, availableParallelism() - 1));
}

/** Runs it, tells of it meanwhile, and what it came to. */
async function told(
  run: LoadRun,
  { brokers, sender, topic, rate, json, terminal }: ProduceOptions,
  { spec, speed, clock, signal }: { spec: LoadSpec; speed: number | null; clock: Clock; signal: AbortSignal },
): Promise<Statistics> {
  const narrator = new Narrator(terminal);
  const startCpuUs = cpuUs();
  const now = (): Statistics => {
    const standing = run.standing();
    const hasBegun = standing.beganMs !== null;
    const elapsedMs = hasBegun ? clock.monotonicMs() - standing.beganMs! : 0;
    const cpuMs = hasBegun ? (cpuUs() - standing.beganCpuUs) / 1_000 : 0;
    const setUpCpuMs = ((hasBegun ? standing.beganCpuUs : cpuUs()) - startCpuUs) / 1_000;
    return {
      sender,
      topic,
      rate,
      spec,
      speed,
      standing,
      elapsedMs,
      cpuMs,
      setUpCpuMs,
      isWhole: !signal.aborted,
    };
  };
  const ended = new AbortController();
  const telling = async () => {
    let last = now();
    if (!json) narrator.line(headline(brokers, last));
    while (!ended.signal.aborted) {
      await clock.sleep(TELL_MS, ended.signal);
      const next = now();
      const line = progressLine(
        next,
        next.standing.sent - last.standing.sent,
        next.elapsedMs - last.elapsedMs,
      );
      last = next;
      if (!json && !ended.signal.aborted) narrator.status([line], [line]);
    }
    narrator.keepStatus();
  };
  const teller = telling();
  try {
    await run.run();
    return now();
  } finally {
    ended.abort();
    await teller;
    await run.close();
  }
}
