import type { Api } from './api.js';
import type { WireReader } from './reader.js';
import type { WireWriter } from './writer.js';

/** The topic id of a topic that has none. */
export const NO_TOPIC_ID = '0'.repeat(32);

export interface MetadataRequest {
  /** Topics to ask for; none: brokers only. */
  topics: readonly string[];
}

export interface BrokerInfo {
  nodeId: number;
  host: string;
  port: number;
  rack: string | null;
}

export interface PartitionInfo {
  errorCode: number;
  partition: number;
  /** −1: none now. */
  leaderId: number;
  leaderEpoch: number;
}

export interface TopicInfo {
  errorCode: number;
  name: string | null;
  /** 32 hex digits. */
  topicId: string;
  partitions: PartitionInfo[];
}

export interface MetadataResponse {
  throttleTimeMs: number;
  brokers: BrokerInfo[];
  clusterId: string | null;
  topics: TopicInfo[];
}

/** Metadata v10: the first version with topic ids. Never creates a topic. */
export const metadataApi: Api<MetadataRequest, MetadataResponse> = {
  name: 'Metadata',
  key: 3,
  version: 10,
  flexible: true,
  encode: (writer, { topics }) => encodeTopicsAsked(writer, topics),
  decode: (reader) => {
    const nodeIds = () => reader.compactArray(4, () => reader.int32());
    const throttleTimeMs = reader.int32();
    const brokers = readBrokers(reader);
    const clusterId = reader.compactNullableString();
    reader.int32(); // controller_id
    const topics = reader.compactArray(26, () => {
      const errorCode = reader.int16();
      const name = reader.compactNullableString();
      const topicId = reader.uuid();
      reader.boolean(); // is_internal
      const partitions = reader.compactArray(18, () => {
        const partition = {
          errorCode: reader.int16(),
          partition: reader.int32(),
          leaderId: reader.int32(),
          leaderEpoch: reader.int32(),
        };
        nodeIds(); // replica_nodes
        nodeIds(); // isr_nodes
        nodeIds(); // offline_replicas
        reader.skipTags();
        return partition;
      });
      reader.int32(); // topic_authorized_operations
      reader.skipTags();
      return { errorCode, name, topicId, partitions };
    });
    reader.int32(); // cluster_authorized_operations
    reader.skipTags();
    return { throttleTimeMs, brokers, clusterId, topics };
  },
};

/** The request of Metadata v10; null: all topics. */
export function encodeTopicsAsked(writer: WireWriter, topics: readonly string[] | null): void {
  if (topics === null) writer.uvarint(0);
  else writer.compactArray(topics, (w, name) => w.uuid(NO_TOPIC_ID).compactString(name).noTags());
  // allow_auto_topic_creation, include_cluster_authorized_operations, include_topic_authorized_operations
  writer.boolean(false).boolean(false).boolean(false).noTags();
}

export function readBrokers(reader: WireReader): BrokerInfo[] {
  return reader.compactArray(11, () => {
    const broker = {
      nodeId: reader.int32(),
      host: reader.compactString(),
      port: reader.int32(),
      rack: reader.compactNullableString(),
    };
    reader.skipTags();
    return broker;
  });
}
