import { kafkaJarsFolder } from '../../config/setup/kafka-jars.mjs';
import {
  type KafkaCluster,
  type KafkaClusterOptions,
  startKafkaCluster as start,
} from '../../native-bench/kafka-cluster/cluster.js';

/** The benchmarks' Kafka cluster, with the jars that the set-up keeps in its cache. */

export type { KafkaCluster, KafkaClusterOptions };

/** Starts a cluster and answers when all brokers serve. Throws with the end of a broker's log when one does not. */
export function startKafkaCluster(options: Omit<KafkaClusterOptions, 'jarsFolder'>): Promise<KafkaCluster> {
  return start({ ...options, jarsFolder: kafkaJarsFolder(options.version) });
}
