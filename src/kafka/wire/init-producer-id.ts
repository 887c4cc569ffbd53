import type { Api } from './api.js';

export interface InitProducerIdRequest {
  /** Without a transactional id it decides nothing. */
  transactionTimeoutMs: number;
}

export interface InitProducerIdResponse {
  throttleTimeMs: number;
  errorCode: number;
  producerId: bigint;
  producerEpoch: number;
}

/** InitProducerId v1, of a producer without transactions; not among what every connection is checked for. */
export const initProducerIdApi: Api<InitProducerIdRequest, InitProducerIdResponse> = {
  name: 'InitProducerId',
  key: 22,
  version: 1,
  flexible: false,
  encode: (writer, { transactionTimeoutMs }) => {
    writer.int16(-1).int32(transactionTimeoutMs); // transactional_id null
  },
  decode: (reader) => ({
    throttleTimeMs: reader.int32(),
    errorCode: reader.int16(),
    producerId: reader.int64(),
    producerEpoch: reader.int16(),
  }),
};
