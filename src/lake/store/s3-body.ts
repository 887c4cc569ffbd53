import { addAbortSignal, type Readable } from 'node:stream';
import type { RequestTime } from './s3-attempts.js';

/** An answer that is shorter than it said: what is there of it is worth nothing. */
class BrokenOff extends Error {
  readonly code = 'AnswerBrokenOff';
}

/** All bytes of an answer. Throws when fewer come than were announced, or none for too long. */
export async function bodyBytes(
  body: Readable,
  announcedBytes: number | undefined,
  time: RequestTime,
): Promise<Uint8Array> {
  addAbortSignal(time.signal, body);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      time.extend();
      bytes += chunk.byteLength;
      chunks.push(chunk);
    }
  } catch (error) {
    if (time.signal.aborted) throw error;
    throw new BrokenOff(`the answer broke off after ${bytes} bytes`, { cause: error });
  }
  if (announcedBytes !== undefined && bytes !== announcedBytes) {
    throw new BrokenOff(`the answer has ${bytes} bytes, not ${announcedBytes}`);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes);
}

/**
 * Bytes that stay as they are while a request is under way, over memory that no other thread writes and that the SDK can hash.
 * No copy where they are that already.
 */
export function stillBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes);
}
