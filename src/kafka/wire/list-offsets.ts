import type { Isolation } from '../../config/types.js';
import type { Api } from './api.js';
import { isolationLevel } from './isolation.js';

/** Timestamps with a meaning of their own. */
export const LATEST_TIMESTAMP = -1n;
export const EARLIEST_TIMESTAMP = -2n;

export interface ListOffsetsRequest {
  topic: string;
  /** Read committed, `latest` is the last stable offset, else the high watermark. */
  isolation: Isolation;
  partitions: readonly {
    partition: number;
    /** −1: not known. */
    currentLeaderEpoch: number;
    /** ms since 1970, or one of the two above. */
    timestamp: bigint;
  }[];
}

export interface ListedOffset {
  partition: number;
  errorCode: number;
  /** −1: no record is as late as the timestamp asked for. */
  offset: bigint;
  leaderEpoch: number;
}

export interface ListOffsetsResponse {
  throttleTimeMs: number;
  topics: { topic: string; partitions: ListedOffset[] }[];
}

/** ListOffsets v5, the last one with fixed-length counts. */
export const listOffsetsApi: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  name: 'ListOffsets',
  key: 2,
  version: 5,
  flexible: false,
  encode: (writer, { topic, isolation, partitions }) => {
    writer.int32(-1).int8(isolationLevel(isolation)); // replica_id of a consumer
    writer.array([topic], (w, name) => {
      w.string(name).array(partitions, (each, asked) =>
        each.int32(asked.partition).int32(asked.currentLeaderEpoch).int64(asked.timestamp),
      );
    });
  },
  decode: (reader) => ({
    throttleTimeMs: reader.int32(),
    topics: reader.array(6, () => ({
      topic: reader.string(),
      partitions: reader.array(26, () => {
        const partition = reader.int32();
        const errorCode = reader.int16();
        reader.int64(); // the found record's timestamp
        return { partition, errorCode, offset: reader.int64(), leaderEpoch: reader.int32() };
      }),
    })),
  }),
};
