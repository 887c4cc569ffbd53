import { Connection, metadataV12 } from '@platformatic/kafka';

type MetadataResponse = Awaited<ReturnType<typeof metadataV12.api.async>>;

const ANSWER_MS_MAX = 5_000;

/**
 * What one broker knows of the cluster, asked over a connection of its own; undefined while it does not answer.
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
    return await metadataV12.api.async(connection, topics, false, false);
  } catch {
    return undefined;
  } finally {
    await connection.close().catch(() => undefined);
  }
}
