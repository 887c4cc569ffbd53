import type { Api } from './api.js';
import { type BrokerInfo, encodeTopicsAsked, readBrokers } from './metadata.js';

/** Who holds what: the part of Metadata that readers of a topic have no use for, and operators look at. */

export interface PartitionReplicas {
  partition: number;
  /** −1: none now. */
  leader: number;
  /** Broker ids, the preferred leader first. */
  replicas: number[];
  inSync: number[];
}

export interface TopicReplicas {
  errorCode: number;
  name: string;
  /** Kafka's own, such as __consumer_offsets. */
  isInternal: boolean;
  /** Ascending. */
  partitions: readonly PartitionReplicas[];
}

export interface ReplicasResponse {
  brokers: BrokerInfo[];
  clusterId: string | null;
  topics: TopicReplicas[];
}

/** Metadata v10, of some topics or (null) of all. Never creates a topic. */
export const replicasApi: Api<{ topics: readonly string[] | null }, ReplicasResponse> = {
  name: 'Metadata',
  key: 3,
  version: 10,
  flexible: true,
  encode: (writer, { topics }) => encodeTopicsAsked(writer, topics),
  decode: (reader) => {
    const nodeIds = () => reader.compactArray(4, () => reader.int32());
    reader.int32(); // throttle_time_ms
    const brokers = readBrokers(reader);
    const clusterId = reader.compactNullableString();
    reader.int32(); // controller_id
    const topics = reader.compactArray(26, () => {
      const errorCode = reader.int16();
      const name = reader.compactNullableString() ?? '';
      reader.uuid();
      const isInternal = reader.boolean();
      const partitions = reader.compactArray(18, () => {
        reader.int16(); // error_code: that there is no leader is in the leader
        const partition = reader.int32();
        const leader = reader.int32();
        reader.int32(); // leader_epoch
        const replicas = nodeIds();
        const inSync = nodeIds();
        nodeIds(); // offline_replicas
        reader.skipTags();
        return { partition, leader, replicas, inSync };
      });
      reader.int32(); // topic_authorized_operations
      reader.skipTags();
      partitions.sort((a, b) => a.partition - b.partition);
      return { errorCode, name, isInternal, partitions };
    });
    reader.int32(); // cluster_authorized_operations
    reader.skipTags();
    return { brokers, clusterId, topics };
  },
};
