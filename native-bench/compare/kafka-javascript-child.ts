import { loadLibrdkafka, type NativeConsumer, type NativeMessage } from '#src/kafka/librdkafka.js';
import type { KafkaJavaScriptOrders } from './kafka-javascript.js';
import { MapSessions } from './map-sessions.js';

/** A process of its own, started by the benchmark `compare`: reads the topic to its end and says what it found. */

const MESSAGES_MAX = 10_000;
const CONSUME_TIMEOUT_MS = 5;
const CONNECT_TIMEOUT_MS = 60_000;
const PROGRESS_MS = 100;

const orders = JSON.parse(process.argv[2]!) as KafkaJavaScriptOrders;
const { KafkaConsumer } = loadLibrdkafka();
const consumer = new KafkaConsumer({
  'bootstrap.servers': orders.bootstrap,
  'group.id': orders.group,
  'auto.offset.reset': 'earliest',
  'enable.auto.commit': false,
});
// librdkafka connects again by itself; a call that can't succeed says so
consumer.on('event.error', (error) => process.stderr.write(`${JSON.stringify(error)}\n`));
await new Promise<void>((resolve, reject) => {
  consumer.connect({ timeout: CONNECT_TIMEOUT_MS }, (error) => (error ? reject(error) : resolve()));
});
consumer.setDefaultConsumeTimeout(CONSUME_TIMEOUT_MS);
consumer.subscribe([orders.topic]);
await readAll(consumer);
await new Promise<void>((resolve) => consumer.disconnect(() => resolve()));

async function readAll(from: NativeConsumer): Promise<void> {
  const sessions = new MapSessions();
  let events = 0;
  let toldMs = 0;
  while (events < orders.events) {
    const messages = await next(from);
    for (const { partition, value } of messages) sessions.add(partition, value!);
    events += messages.length;
    const nowMs = performance.now();
    if (messages.length === 0 || nowMs - toldMs < PROGRESS_MS) continue;
    toldMs = nowMs;
    process.stdout.write(`PROGRESS ${events}\n`);
  }
  sessions.finish();
  process.stdout.write(`RESULT ${JSON.stringify(sessions.sums)}\n`);
}

function next(from: NativeConsumer) {
  return new Promise<NativeMessage[]>((resolve, reject) => {
    from.consume(MESSAGES_MAX, (error, messages) => (error ? reject(error) : resolve(messages)));
  });
}
