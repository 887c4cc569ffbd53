import kafka from '@confluentinc/kafka-javascript';

/** What operators do to a topic and a group, by librdkafka. */

const TIMEOUT_MS = 30_000;

type Done = (error?: unknown, value?: unknown) => void;
type Admin = {
  deleteTopic(topic: string, timeoutMs: number, done: Done): void;
  createPartitions(topic: string, total: number, timeoutMs: number, done: Done): void;
  deleteRecords(
    below: { topic: string; partition: number; offset: number }[],
    options: { timeout: number },
    done: Done,
  ): void;
  disconnect(): void;
};

async function withAdmin(bootstrap: string, work: (admin: Admin, done: Done) => void): Promise<void> {
  const admin = kafka.AdminClient.create({ 'bootstrap.servers': bootstrap }) as unknown as Admin;
  try {
    await new Promise<void>((resolve, reject) => {
      work(admin, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
  } finally {
    admin.disconnect();
  }
}

export function deleteTopic(bootstrap: string, topic: string): Promise<void> {
  return withAdmin(bootstrap, (admin, done) => admin.deleteTopic(topic, TIMEOUT_MS, done));
}

export function addPartitions(bootstrap: string, topic: string, total: number): Promise<void> {
  return withAdmin(bootstrap, (admin, done) => admin.createPartitions(topic, total, TIMEOUT_MS, done));
}

/** What retention does, now. */
export function deleteBelow(
  bootstrap: string,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  return withAdmin(bootstrap, (admin, done) =>
    admin.deleteRecords([{ topic, partition, offset }], { timeout: TIMEOUT_MS }, done),
  );
}

/** As kafka-consumer-groups.sh --reset-offsets does, of a group without members. */
export async function resetGroupOffset(
  bootstrap: string,
  group: string,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  const consumer = new kafka.KafkaConsumer(
    { 'bootstrap.servers': bootstrap, 'group.id': group, 'enable.auto.commit': false },
    {},
  );
  await new Promise<void>((resolve, reject) => {
    consumer.connect({ timeout: TIMEOUT_MS }, (error) => (error ? reject(error) : resolve()));
  });
  try {
    consumer.commitSync([{ topic, partition, offset }]);
  } finally {
    await new Promise<void>((resolve) => consumer.disconnect(() => resolve()));
  }
}
