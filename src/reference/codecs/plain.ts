import { BatchFault } from '../batch-fault.js';
import type { BatchCodecs } from '../batch-reader.js';
import { decompressFrame } from '../lz4-frame.js';
import { walkRecords } from '../record-walk.js';
import { decompressGzip } from './gzip.js';
import { decompressSnappy } from './snappy.js';
import { decompressZstd } from './zstd.js';

/** The codecs of the reference, and the kernel's for what it does not do itself. */
export const PLAIN_CODECS: BatchCodecs = {
  decompress(codec, payload, bytesMax) {
    // a batch without records has none, whatever its codec
    if (payload.byteLength === 0) return payload;
    switch (codec) {
      case 'none':
        return uncompressed(payload, bytesMax);
      case 'gzip':
        return decompressGzip(payload, bytesMax);
      case 'snappy':
        return decompressSnappy(payload, bytesMax);
      case 'lz4':
        return decompressFrame(payload, bytesMax);
      case 'zstd':
        return decompressZstd(payload, bytesMax);
    }
  },

  checkRecords(records, count, lastOffsetDelta) {
    walkRecords(records, count, lastOffsetDelta, () => {});
  },
};

/** The payload as it lies. Throws BatchFault `too_large`. */
export function uncompressed(payload: Uint8Array, bytesMax: number): Uint8Array {
  if (payload.byteLength <= bytesMax) return payload;
  throw new BatchFault('too_large', `${payload.byteLength} bytes of records, over the limit of ${bytesMax}`);
}
