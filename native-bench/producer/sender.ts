import { readFileSync } from 'node:fs';
import { ClickstreamProducer } from '#src/producer/clickstream-producer.js';
import type { ClickstreamEvent } from '#src/producer/events.js';
import type { ProducerProfile } from '#src/producer/profiles.js';

/** A process of its own that sends events with the client, over and over those of a file, and says what it took. */

export interface SenderTask {
  brokers: string;
  topic: string;
  profile: ProducerProfile;
  /** `objects`: checked and written by send(); `bytes`: as they stand in the file, by sendBytes(). */
  how: 'objects' | 'bytes';
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
const log = { debug() {}, info() {}, warn() {}, error() {} };
const producer = new ClickstreamProducer({
  brokers: task.brokers,
  topic: task.topic,
  profile: task.profile,
  log,
});
await producer.connect();
const failed = () => undefined;
const startMs = performance.now();
const startCpu = process.cpuUsage();
for (let i = 0; i < task.events; i++) {
  if (!producer.hasRoom) await producer.untilRoom();
  const at = i % events.length;
  const event = events[at]!;
  const sent = task.how === 'objects' ? producer.send(event) : producer.sendBytes(event.user_id, values[at]!);
  sent.catch(failed);
  if (i % TURN_EVENTS === 0) await new Promise((resolve) => setImmediate(resolve));
}
await producer.flush();
const { user, system } = process.cpuUsage(startCpu);
const seconds = (performance.now() - startMs) / 1_000;
const metrics = producer.metrics();
await producer.close();
const { average, p50, p99 } = metrics.latencyMs;
const answer: SenderAnswer = {
  seconds,
  cpuSeconds: (user + system) / 1e6,
  sent: metrics.sent,
  failed: metrics.failed + metrics.refused,
  latencyMs: { average, p50, p99 },
};
process.stdout.write(`${JSON.stringify(answer)}\n`);
