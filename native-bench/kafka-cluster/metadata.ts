import { Connection, metadataV9 } from '@platformatic/kafka';

type MetadataResponse = Awaited<ReturnType<typeof metadataV9.api.async>>;

const ANSWER_MS_MAX = 5_000;

/**
 * By a version that all brokers from 2.4 on speak: what one broker knows of the cluster, asked over a connection of its own; undefined while it does not answer.
 * @param topics names; [] for none
 */
export async function tryReadMetadata(
  host: string,
  port: number,
  topics: string[],
): Promise<MetadataResponse | undefined> {
  const connection = new Connection('headrace-cluster', {
    connectTimeout: ANSWER_MS_MAX,
    requestTimeout: ANSWER_MS_MAX,
  });
  // what goes wrong comes back from the calls; an 'error' event without a listener would end the process
  connection.on('error', () => undefined);
  try {
    await connection.connect(host, port);
    return await metadataV9.api.async(connection, topics, false, false);
  } catch {
    return undefined;
  } finally {
    await connection.close().catch(() => undefined);
  }
}
