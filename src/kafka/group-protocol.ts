import type { EngineConfig } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import type { Cluster } from './cluster.js';

/** The one version that librdkafka speaks; brokers have it since Kafka 4.0. Earlier ones had previews under version 0. */
const CONSUMER_GROUP_HEARTBEAT = { key: 68, version: 1 };

/**
 * librdkafka itself tries a protocol that brokers don't speak again and again, as if that could change.
 *
 * @throws HeadraceError KAFKA_TOO_OLD (exit 69), KAFKA_UNREACHABLE when the cluster was closed
 */
export async function checkGroupProtocol(
  { kafka }: Pick<EngineConfig, 'kafka'>,
  cluster: Pick<Cluster, 'speaks'>,
): Promise<void> {
  if (kafka.groupProtocol !== 'consumer' || (await cluster.speaks(CONSUMER_GROUP_HEARTBEAT))) return;
  throw new HeadraceError('KAFKA_TOO_OLD', 'the brokers do not speak the group protocol consumer (KIP-848)', {
    where: { brokers: kafka.brokers.join(',') },
    remedy:
      'set kafka.group_protocol (--group-protocol) to classic, or use brokers of Apache Kafka 4.0 or newer',
  });
}
