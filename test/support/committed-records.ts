import kafka from '@confluentinc/kafka-javascript';

/** What a read_committed consumer sees of a topic, from its beginning to its end as it is now. */

export interface CommittedRecord {
  partition: number;
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

const TIMEOUT_MS = 30_000;

export async function committedRecords(
  bootstrap: string,
  topic: string,
  partitions: number,
): Promise<CommittedRecord[]> {
  // a commit is answered before its markers are in all partitions: what is open at first is waited for
  const ends = await withConsumer(bootstrap, 'read_uncommitted', (consumer) =>
    Promise.all(Array.from({ length: partitions }, (_, partition) => endOf(consumer, topic, partition))),
  );
  return await withConsumer(bootstrap, 'read_committed', async (consumer) => {
    const open = new Set(ends.flatMap((end, partition) => (end > 0 ? [partition] : [])));
    consumer.on('partition.eof', ({ partition, offset }: { partition: number; offset: number }) => {
      if (offset >= ends[partition]!) open.delete(partition);
    });
    consumer.assign([...open].map((partition) => ({ topic, partition, offset: 0 })));
    const records: CommittedRecord[] = [];
    while (open.size > 0) {
      const messages = await new Promise<kafka.Message[]>((resolve, reject) => {
        consumer.consume(1_000, (error, found) => (error ? reject(error) : resolve(found)));
      });
      records.push(...messages.map(recordOf));
    }
    return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
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
    consumer.queryWatermarkOffsets(topic, partition, TIMEOUT_MS, (error, { highOffset }) =>
      error ? reject(error) : resolve(highOffset),
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
