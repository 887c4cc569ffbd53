import {
  clientConfig,
  failureOf,
  failureToError,
  type LibrdkafkaConfig,
  loadLibrdkafka,
} from './librdkafka.js';

const TIMEOUT_MS = 10_000;

/** Has the brokers delete what lies below these offsets, for good. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL. */
export async function deleteRecords(
  { brokers, clientId, extra }: { brokers: readonly string[]; clientId: string; extra?: LibrdkafkaConfig },
  below: readonly { topic: string; partition: number; offset: number }[],
): Promise<void> {
  const admin = loadLibrdkafka().AdminClient.create(
    { ...clientConfig(brokers, clientId), ...extra },
    // a token that could not be had: the answer says so
    { error: () => undefined },
  );
  try {
    const results = await new Promise<readonly { error?: unknown }[]>((resolve, reject) => {
      const options = { timeout: TIMEOUT_MS, operationTimeout: TIMEOUT_MS };
      admin.deleteRecords([...below], options, (error, answer) => {
        if (error) reject(failureToError(failureOf(error), { topic: below[0]!.topic }));
        else resolve(answer);
      });
    });
    for (const { error } of results) {
      if (error) throw failureToError(failureOf(error), { topic: below[0]!.topic });
    }
  } finally {
    admin.disconnect();
  }
}
