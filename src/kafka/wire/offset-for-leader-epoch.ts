import type { Api } from './api.js';

export interface OffsetForLeaderEpochRequest {
  topic: string;
  partition: number;
  /** The epoch of the leader that is asked. */
  currentLeaderEpoch: number;
  /** The epoch whose end is asked for. */
  leaderEpoch: number;
}

export interface EpochEnd {
  errorCode: number;
  partition: number;
  /** The largest epoch known that is not above the one asked for; −1: none. */
  leaderEpoch: number;
  /** The offset behind that epoch's last record; −1: unknown. */
  endOffset: bigint;
}

export interface OffsetForLeaderEpochResponse {
  throttleTimeMs: number;
  topics: { topic: string; partitions: EpochEnd[] }[];
}

/** OffsetForLeaderEpoch v2: the only one that librdkafka's mock speaks, and the least that 4.x brokers do. */
export const offsetForLeaderEpochApi: Api<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> = {
  name: 'OffsetForLeaderEpoch',
  key: 23,
  version: 2,
  flexible: false,
  encode: (writer, request) => {
    writer.array([request], (w, { topic }) => {
      w.string(topic).array([request], (each, asked) =>
        each.int32(asked.partition).int32(asked.currentLeaderEpoch).int32(asked.leaderEpoch),
      );
    });
  },
  decode: (reader) => ({
    throttleTimeMs: reader.int32(),
    topics: reader.array(6, () => ({
      topic: reader.string(),
      partitions: reader.array(18, () => ({
        errorCode: reader.int16(),
        partition: reader.int32(),
        leaderEpoch: reader.int32(),
        endOffset: reader.int64(),
      })),
    })),
  }),
};
