import { readFileSync } from 'node:fs';
import { ClickstreamProducer } from '#src/producer/clickstream-producer.js';
import type { ClickstreamEvent } from '#src/producer/events.js';
import type { ProducerProfile } from '#src/producer/profiles.js';
import { RawProducer } from './raw-producer.js';

/** A process of its own that sends events with the client, over and over those of a file, and says what it took. */

export interface SenderTask {
  brokers: string;
  topic: string;
  profile: ProducerProfile;
  /**
   * `objects`: checked and written by send(); `bytes`: as they stand in the file, by sendBytes(); `raw`: the same by what lies
   * below, produce() and delivery reports of kafka-javascript.
   */
  how: 'objects' | 'bytes' | 'raw';
  partitions: number;
  events: number;
  /** One event a line. */
  file: string;
}

export interface SenderAnswer {
  /** From the first send() to the last acknowledgement. */
  seconds: number;
  /** Of the whole process meanwhile, the client's threads included. */
  cpuSeconds: number;
  sent: number;
  failed: number;
  latencyMs: { average: number; p50: number; p99: number };
}

/** The loop hands over to the reports this often. */
const TURN_EVENTS = 256;

const task = JSON.parse(process.argv[2]!) as SenderTask;
const values = readFileSync(task.file, 'utf8')
  .split('\n')
  .map((line) => Buffer.from(line));
const events = values.map((value) => JSON.parse(value.toString()) as ClickstreamEvent);
const answer = await (task.how === 'raw' ? sendRaw() : sendByLibrary());
process.stdout.write(`${JSON.stringify(answer)}\n`);

async function sendByLibrary(): Promise<SenderAnswer> {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const producer = new ClickstreamProducer({
    brokers: task.brokers,
    topic: task.topic,
    profile: task.profile,
    log,
  });
  await producer.connect();
  const failed = () => undefined;
  const took = stopwatch();
  for (let i = 0; i < task.events; i++) {
    if (!producer.hasRoom) await producer.untilRoom();
    const at = i % events.length;
    const event = events[at]!;
    const sent =
      task.how === 'objects' ? producer.send(event) : producer.sendBytes(event.user_id, values[at]!);
    sent.catch(failed);
    if (i % TURN_EVENTS === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await producer.flush();
  const time = took();
  const { sent, failed: lost, refused, latencyMs } = producer.metrics();
  await producer.close();
  const { average, p50, p99 } = latencyMs;
  return { ...time, sent, failed: lost + refused, latencyMs: { average, p50, p99 } };
}

/** As bare as it can be: keys and partitions are there before, and of a report only its kind is looked at. */
async function sendRaw(): Promise<SenderAnswer> {
  const producer = await RawProducer.open(task);
  const records = events.map((event, at) => producer.prepared(event.user_id, values[at]!));
  const took = stopwatch();
  for (let i = 0; i < task.events; i++) {
    if (!producer.hasRoom) await producer.untilRoom();
    producer.send(records[i % records.length]!);
    if (i % TURN_EVENTS === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await producer.untilDone(task.events);
  const time = took();
  const { sent, failed } = producer;
  await producer.close();
  return { ...time, sent, failed, latencyMs: { average: 0, p50: 0, p99: 0 } };
}

function stopwatch(): () => Pick<SenderAnswer, 'seconds' | 'cpuSeconds'> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(startCpu);
    return { seconds: (performance.now() - startMs) / 1_000, cpuSeconds: (user + system) / 1e6 };
  };
}
