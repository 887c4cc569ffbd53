import type { Api } from './api.js';

/** One record batch a partition: brokers take no more in one request. */
export interface ProduceRequest {
  topic: string;
  timeoutMs: number;
  batches: readonly { partition: number; bytes: Uint8Array }[];
}

export interface Produced {
  partition: number;
  errorCode: number;
  /** Offset of the batch's first record. */
  baseOffset: bigint;
}

/** Produce v7, with acks from all in-sync replicas: raw record batches, as they will lie in the log. */
export const produceApi: Api<ProduceRequest, Produced[]> = {
  name: 'Produce',
  key: 0,
  version: 7,
  flexible: false,
  encode: (writer, { topic, timeoutMs, batches }) => {
    writer.int16(-1).int16(-1).int32(timeoutMs); // transactional_id null, acks all
    writer.array([topic], (w, name) => {
      w.string(name).array(batches, (each, { partition, bytes }) =>
        each
          .int32(partition)
          .int32(bytes.length)
          .raw(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
      );
    });
  },
  decode: (reader) => {
    const topics = reader.array(6, () => {
      reader.string();
      return reader.array(30, () => {
        const produced = { partition: reader.int32(), errorCode: reader.int16(), baseOffset: reader.int64() };
        reader.int64(); // log_append_time
        reader.int64(); // log_start_offset
        return produced;
      });
    });
    reader.int32(); // throttle_time_ms
    return topics.flat();
  },
};
