import type { Isolation } from '../../config/types.js';
import type { AbortedTransaction } from '../../reference/aborted-transactions.js';
import type { Api } from './api.js';
import type { ByteSlices } from './byte-slices.js';
import { isolationLevel } from './isolation.js';

export interface FetchPartitionRequest {
  partition: number;
  /** −1: not known. */
  currentLeaderEpoch: number;
  fetchOffset: bigint;
  partitionBytesMax: number;
}

export interface FetchRequest {
  maxWaitMs: number;
  minBytes: number;
  bytesMax: number;
  isolation: Isolation;
  topic: string;
  /** In the order in which the broker fills the response. */
  partitions: readonly FetchPartitionRequest[];
  /** Empty: none. */
  rack: string;
}

export interface FetchedPartition {
  partition: number;
  errorCode: number;
  /** −1: unknown. The same for the two below. */
  highWatermark: bigint;
  lastStableOffset: bigint;
  logStartOffset: bigint;
  /** Those that reach into the records; read uncommitted, none. */
  abortedTransactions: AbortedTransaction[];
  /** A replica to ask instead, or −1. */
  preferredReadReplica: number;
  /** Record batches where they came in; the last one may be cut off. */
  records: ByteSlices;
}

export interface FetchResponse {
  throttleTimeMs: number;
  errorCode: number;
  topics: { topic: string; partitions: FetchedPartition[] }[];
}

/** Fetch v11, by topic name, always sessionless (id 0, epoch −1): each request names all that it wants. */
export const fetchApi: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  version: 11,
  flexible: false,
  encode: (writer, request) => {
    writer.int32(-1).int32(request.maxWaitMs).int32(request.minBytes).int32(request.bytesMax);
    writer.int8(isolationLevel(request.isolation)).int32(0).int32(-1);
    writer.array([request.topic], (w, name) => {
      w.string(name).array(request.partitions, (each, asked) =>
        each
          .int32(asked.partition)
          .int32(asked.currentLeaderEpoch)
          .int64(asked.fetchOffset)
          .int64(-1n) // log_start_offset: only followers have one
          .int32(asked.partitionBytesMax),
      );
    });
    writer.int32(0).string(request.rack); // no forgotten topics
  },
  decode: (reader) => {
    const throttleTimeMs = reader.int32();
    const errorCode = reader.int16();
    reader.int32(); // session_id
    const topics = reader.array(6, () => ({
      topic: reader.string(),
      partitions: reader.array(42, () => ({
        partition: reader.int32(),
        errorCode: reader.int16(),
        highWatermark: reader.int64(),
        lastStableOffset: reader.int64(),
        logStartOffset: reader.int64(),
        abortedTransactions: reader.array(16, () => ({
          producerId: reader.int64(),
          firstOffset: reader.int64(),
        })),
        preferredReadReplica: reader.int32(),
        records: reader.bytes(),
      })),
    }));
    return { throttleTimeMs, errorCode, topics };
  },
};
