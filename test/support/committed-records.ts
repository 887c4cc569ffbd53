import kafka from '@confluentinc/kafka-javascript';
import { retried } from './kafka-retries.js';

/** What a read_committed consumer sees of a topic. */

export interface CommittedRecord {
  partition: number;
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

const TIMEOUT_MS = 30_000;

/** From its beginning to its end as it is now: transactions that are open are waited for. */
export async function committedRecords(
  bootstrap: string,
  topic: string,
  partitions: number,
): Promise<CommittedRecord[]> {
  // a commit is answered before its markers are in all partitions: what is open at first is waited for
  const ends = await endsOf(bootstrap, topic, partitions, 'read_uncommitted');
  return await recordsUpTo(bootstrap, topic, Array(partitions).fill(0), ends);
}

/** From these offsets on, one a partition, up to the first transaction that is open; `ends` is where to go on. */
export async function settledRecords(
  bootstrap: string,
  topic: string,
  from: readonly number[],
): Promise<{ records: CommittedRecord[]; ends: number[] }> {
  const ends = await retried(() => endsOf(bootstrap, topic, from.length, 'read_committed'));
  return { records: await retried(() => recordsUpTo(bootstrap, topic, from, ends)), ends };
}

/** Read committed, what lies behind an end is not ready yet. */
function endsOf(bootstrap: string, topic: string, partitions: number, isolation: string): Promise<number[]> {
  return withConsumer(bootstrap, isolation, (consumer) =>
    Promise.all(Array.from({ length: partitions }, (_, partition) => endOf(consumer, topic, partition))),
  );
}

async function recordsUpTo(
  bootstrap: string,
  topic: string,
  from: readonly number[],
  ends: readonly number[],
): Promise<CommittedRecord[]> {
  return await withConsumer(bootstrap, 'read_committed', async (consumer) => {
    const open = new Set(ends.flatMap((end, partition) => (end > from[partition]! ? [partition] : [])));
    if (open.size === 0) return [];
    consumer.on('partition.eof', ({ partition, offset }: { partition: number; offset: number }) => {
      if (offset >= ends[partition]!) open.delete(partition);
    });
    consumer.assign([...open].map((partition) => ({ topic, partition, offset: from[partition]! })));
    const records: CommittedRecord[] = [];
    while (open.size > 0) {
      const messages = await new Promise<kafka.Message[]>((resolve, reject) => {
        consumer.consume(1_000, (error, found) => (error ? reject(error) : resolve(found)));
      });
      records.push(...messages.map(recordOf));
    }
    const within = records.filter(({ partition, offset }) => offset < ends[partition]!);
    return within.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  });
}

async function withConsumer<T>(
  bootstrap: string,
  isolation: string,
  use: (consumer: kafka.KafkaConsumer) => Promise<T>,
): Promise<T> {
  const consumer = new kafka.KafkaConsumer(
    {
      'bootstrap.servers': bootstrap,
      'group.id': 'headrace-test-committed',
      'enable.auto.commit': false,
      'isolation.level': isolation,
      'enable.partition.eof': true,
    } as kafka.ConsumerGlobalConfig,
    { 'auto.offset.reset': 'earliest' },
  );
  await new Promise<void>((resolve, reject) => {
    consumer.connect({ timeout: TIMEOUT_MS }, (error) => (error ? reject(error) : resolve()));
  });
  consumer.setDefaultConsumeTimeout(20);
  try {
    return await use(consumer);
  } finally {
    await new Promise<void>((resolve) => consumer.disconnect(() => resolve()));
  }
}

function endOf(consumer: kafka.KafkaConsumer, topic: string, partition: number): Promise<number> {
  return new Promise((resolve, reject) => {
    consumer.queryWatermarkOffsets(topic, partition, TIMEOUT_MS, (error, offsets) =>
      // there are none beside an error
      error ? reject(error) : resolve(offsets.highOffset),
    );
  });
}

function recordOf({ partition, offset, key, value, headers = [] }: kafka.Message): CommittedRecord {
  const texts = headers.flatMap((header) =>
    Object.entries(header).map(([name, text]) => [name, Buffer.from(text as Buffer).toString()]),
  );
  const bytes = (from: unknown) => (from === null || from === undefined ? null : Buffer.from(from as Buffer));
  return {
    partition,
    offset,
    key: bytes(key),
    value: bytes(value),
    headers: Object.fromEntries(texts) as Record<string, string>,
  };
}
