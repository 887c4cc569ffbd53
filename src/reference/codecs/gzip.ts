import { gunzipSync } from 'node:zlib';
import { BatchFault } from '../batch-fault.js';

/**
 * Gzip: one member or several, as Java's GZIPInputStream reads them, up to the payload's end. Each member's CRC-32 and
 * length are compared by zlib. What lies behind the last member is refused, zeros as well, which zlib takes for padding.
 */

/** Also the least that is allocated. */
const CHUNK_BYTES = 64 * 1024;

/** What `info: true` adds to the answer, which Node's types leave out. */
interface WithEngine {
  buffer: Buffer;
  /** bytesWritten: what was read of the payload. */
  engine: { bytesWritten: number };
}

/** Throws BatchFault `corrupt`, or `too_large` over `bytesMax`. */
export function decompressGzip(payload: Uint8Array, bytesMax: number): Uint8Array {
  let result: WithEngine;
  try {
    // zlib refuses a bound of 0
    const options = { maxOutputLength: Math.max(1, bytesMax), chunkSize: CHUNK_BYTES, info: true };
    result = gunzipSync(payload, options) as unknown as WithEngine;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
    throw new BatchFault('corrupt', `gzip: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (result.engine.bytesWritten !== payload.byteLength) {
    throw new BatchFault('corrupt', 'gzip: bytes behind the last member');
  }
  if (result.buffer.byteLength > bytesMax) throw tooLarge(bytesMax);
  return result.buffer;
}

function tooLarge(bytesMax: number): BatchFault {
  return new BatchFault('too_large', `a gzip payload of more than the limit of ${bytesMax} bytes`);
}
