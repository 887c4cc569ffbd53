import type { ApiVersionsResponse } from '#src/kafka/wire/api-versions.js';
import type { FetchedPartition, FetchRequest, FetchResponse } from '#src/kafka/wire/fetch.js';
import type { ListOffsetsRequest, ListOffsetsResponse } from '#src/kafka/wire/list-offsets.js';
import { type MetadataRequest, type MetadataResponse, NO_TOPIC_ID } from '#src/kafka/wire/metadata.js';
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '#src/kafka/wire/offset-for-leader-epoch.js';
import type { WireReader } from '#src/kafka/wire/reader.js';
import { WireWriter } from '#src/kafka/wire/writer.js';

/** The broker's side of the codec: it reads requests and writes responses. Written from Kafka's message definitions. */

/** Records as one piece: that is how a broker has them. */
export type FakeFetchedPartition = Omit<FetchedPartition, 'records'> & { records: Buffer | null };
export type FakeFetchResponse = Omit<FetchResponse, 'topics'> & {
  topics: { topic: string; partitions: FakeFetchedPartition[] }[];
};

const nullableString = (writer: WireWriter, value: string | null): WireWriter =>
  value === null ? writer.uvarint(0) : writer.compactString(value);

export function encodeApiVersions({ errorCode, ranges }: ApiVersionsResponse): Buffer {
  const writer = new WireWriter().int16(errorCode);
  writer.array(ranges, (w, { key, versionMin, versionMax }) =>
    w.int16(key).int16(versionMin).int16(versionMax),
  );
  return (errorCode === 0 ? writer.int32(0) : writer).toBuffer();
}

export function decodeMetadataRequest(reader: WireReader): MetadataRequest {
  const topics = reader.compactArray(18, () => {
    if (reader.uuid() !== NO_TOPIC_ID) throw reader.error('a topic id beside a name');
    const name = reader.compactString();
    reader.skipTags();
    return name;
  });
  if (reader.boolean()) throw reader.error('a topic would be created');
  reader.skip(2);
  reader.skipTags();
  reader.end();
  return { topics };
}

/** Version 1. */
export function encodeSaslHandshake(errorCode: number, mechanisms: readonly string[]): Buffer {
  return new WireWriter()
    .int16(errorCode)
    .array(mechanisms, (w, mechanism) => w.string(mechanism))
    .toBuffer();
}

/** Version 2, with PLAIN's two words. */
export function decodeSaslPlain(reader: WireReader): { username: string; password: string } {
  const [, username, password] = reader.compactString().split('\0');
  reader.skipTags();
  reader.end();
  return { username: username ?? '', password: password ?? '' };
}

/** Version 2, with the header's tagged fields in front. */
export function encodeSaslAuthenticate(errorCode: number): Buffer {
  const message = errorCode === 0 ? null : 'refused';
  const writer = nullableString(new WireWriter().noTags().int16(errorCode), message);
  return writer.uvarint(1).int64(0n).noTags().toBuffer();
}

/** With the header's tagged fields in front. */
export function encodeMetadata(response: MetadataResponse): Buffer {
  const writer = new WireWriter().noTags().int32(response.throttleTimeMs);
  writer.compactArray(response.brokers, (w, broker) => {
    w.int32(broker.nodeId).compactString(broker.host).int32(broker.port);
    nullableString(w, broker.rack).noTags();
  });
  nullableString(writer, response.clusterId).int32(-1);
  writer.compactArray(response.topics, (w, topic) => {
    w.int16(topic.errorCode);
    nullableString(w, topic.name).uuid(topic.topicId).boolean(false);
    w.compactArray(topic.partitions, (each, partition) =>
      each
        .int16(partition.errorCode)
        .int32(partition.partition)
        .int32(partition.leaderId)
        .int32(partition.leaderEpoch)
        .compactArray([partition.leaderId], (ids, id) => ids.int32(id))
        .compactArray([partition.leaderId], (ids, id) => ids.int32(id))
        .compactArray([], () => undefined)
        .noTags(),
    );
    w.int32(-2147483648).noTags();
  });
  return writer.int32(-2147483648).noTags().toBuffer();
}

function isolationOf(level: number): FetchRequest['isolation'] {
  return level === 0 ? 'read_uncommitted' : 'read_committed';
}

export function decodeListOffsetsRequest(reader: WireReader): ListOffsetsRequest {
  if (reader.int32() !== -1) throw reader.error('not a consumer');
  const isolation = isolationOf(reader.int8());
  const [only] = reader.array(6, () => ({
    topic: reader.string(),
    partitions: reader.array(16, () => ({
      partition: reader.int32(),
      currentLeaderEpoch: reader.int32(),
      timestamp: reader.int64(),
    })),
  }));
  reader.end();
  return { isolation, ...only! };
}

export function encodeListOffsets({ throttleTimeMs, topics }: ListOffsetsResponse): Buffer {
  const writer = new WireWriter().int32(throttleTimeMs);
  writer.array(topics, (w, { topic, partitions }) => {
    w.string(topic).array(partitions, (each, { partition, errorCode, offset, leaderEpoch }) =>
      each.int32(partition).int16(errorCode).int64(-1n).int64(offset).int32(leaderEpoch),
    );
  });
  return writer.toBuffer();
}

export function decodeEpochRequest(reader: WireReader): OffsetForLeaderEpochRequest {
  const [only] = reader.array(6, () => {
    const topic = reader.string();
    const [asked] = reader.array(12, () => ({
      partition: reader.int32(),
      currentLeaderEpoch: reader.int32(),
      leaderEpoch: reader.int32(),
    }));
    return { topic, ...asked! };
  });
  reader.end();
  return only!;
}

export function encodeEpochEnds({ throttleTimeMs, topics }: OffsetForLeaderEpochResponse): Buffer {
  const writer = new WireWriter().int32(throttleTimeMs);
  writer.array(topics, (w, { topic, partitions }) => {
    w.string(topic).array(partitions, (each, { errorCode, partition, leaderEpoch, endOffset }) =>
      each.int16(errorCode).int32(partition).int32(leaderEpoch).int64(endOffset),
    );
  });
  return writer.toBuffer();
}

export function decodeFetchRequest(reader: WireReader): FetchRequest {
  if (reader.int32() !== -1) throw reader.error('not a consumer');
  const [maxWaitMs, minBytes, bytesMax] = [reader.int32(), reader.int32(), reader.int32()];
  const isolation = isolationOf(reader.int8());
  if (reader.int32() !== 0 || reader.int32() !== -1) throw reader.error('a session');
  const [only] = reader.array(6, () => ({
    topic: reader.string(),
    partitions: reader.array(28, () => {
      const asked = {
        partition: reader.int32(),
        currentLeaderEpoch: reader.int32(),
        fetchOffset: reader.int64(),
      };
      if (reader.int64() !== -1n) throw reader.error('a log start offset');
      return { ...asked, partitionBytesMax: reader.int32() };
    }),
  }));
  if (reader.int32() !== 0) throw reader.error('forgotten topics');
  const rack = reader.string();
  reader.end();
  return { maxWaitMs, minBytes, bytesMax, isolation, rack, ...only! };
}

export function encodeFetch({ throttleTimeMs, errorCode, topics }: FakeFetchResponse): Buffer {
  const writer = new WireWriter().int32(throttleTimeMs).int16(errorCode).int32(0);
  writer.array(topics, (w, { topic, partitions }) => {
    w.string(topic).array(partitions, (each, partition) => {
      each.int32(partition.partition).int16(partition.errorCode);
      each.int64(partition.highWatermark).int64(partition.lastStableOffset).int64(partition.logStartOffset);
      each.array(partition.abortedTransactions, (aborted, { producerId, firstOffset }) =>
        aborted.int64(producerId).int64(firstOffset),
      );
      each.int32(partition.preferredReadReplica);
      if (partition.records === null) each.int32(-1);
      else each.int32(partition.records.length).raw(partition.records);
    });
  });
  return writer.toBuffer();
}

export interface FakeBatch {
  baseOffset: bigint;
  /** Last offset − base offset. */
  lastOffsetDelta: number;
  /** Of the whole batch, header included; 61 at least. */
  bytes?: number;
  leaderEpoch?: number;
  magic?: number;
  /** What the header says of its length instead of the truth. */
  batchLength?: number;
}

/** A batch with a true header and zeros for records: enough for who does not look inside. */
export function encodeBatch(batch: FakeBatch): Buffer {
  const { baseOffset, lastOffsetDelta, bytes = 100, leaderEpoch = 0, magic = 2 } = batch;
  const buffer = Buffer.alloc(bytes);
  buffer.writeBigInt64BE(baseOffset, 0);
  buffer.writeInt32BE(batch.batchLength ?? bytes - 12, 8);
  buffer.writeInt32BE(leaderEpoch, 12);
  buffer.writeInt8(magic, 16);
  buffer.writeInt32BE(lastOffsetDelta, 23);
  buffer.writeInt32BE(lastOffsetDelta + 1, 57);
  return buffer;
}
