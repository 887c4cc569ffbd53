import { readFileSync } from 'node:fs';
import { ClickstreamProducer } from '#src/producer/clickstream-producer.js';
import type { ProducerProfile } from '#src/producer/profiles.js';
import { putDue } from './due-time.js';

/**
 * A process of its own that sends events by the library at times that are fixed beforehand. It is woken every millisecond and sends
 * what is due, as the Java side does; an event that is sent late counts from when it was due.
 */

export interface LatencySenderTask {
  brokers: string;
  topic: string;
  profile: ProducerProfile;
  rate: number;
  events: number;
  /** A key, a tab and a value a line. */
  file: string;
}

export interface LatencySenderAnswer {
  sent: number;
  failed: number;
  /** How late an event was sent at most. */
  behindMsMax: number;
}

const WAKE_MS = 1;
const LEAD_US = 100_000;

const task = JSON.parse(process.argv[2]!) as LatencySenderTask;
const records = readFileSync(task.file, 'utf8')
  .split('\n')
  .map((line) => {
    const [key, value] = line.split('\t') as [string, string];
    return { key, value: Buffer.from(value) };
  });
const log = { debug() {}, info() {}, warn() {}, error() {} };
const producer = new ClickstreamProducer({
  brokers: task.brokers,
  topic: task.topic,
  profile: task.profile,
  log,
});
await producer.connect();
const nowUs = () => (performance.timeOrigin + performance.now()) * 1_000;
const startUs = nowUs() + LEAD_US;
const failed = () => undefined;
let behindUsMax = 0;
for (let i = 0; i < task.events; ) {
  const now = nowUs();
  for (; i < task.events; i++) {
    const dueUs = Math.floor(startUs + (i * 1e6) / task.rate);
    if (dueUs > now) break;
    behindUsMax = Math.max(behindUsMax, now - dueUs);
    const { key, value } = records[i % records.length]!;
    putDue(value, dueUs);
    producer.sendBytes(key, value).catch(failed);
  }
  if (i < task.events) await new Promise((resolve) => setTimeout(resolve, WAKE_MS));
}
await producer.flush();
const { sent, failed: lost, refused } = producer.metrics();
await producer.close();
const answer: LatencySenderAnswer = { sent, failed: lost + refused, behindMsMax: behindUsMax / 1_000 };
process.stdout.write(`${JSON.stringify(answer)}\n`);
