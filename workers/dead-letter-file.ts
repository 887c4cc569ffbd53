import type { TopicRecord } from '#src/ledger/record-pack.js';
import type { DeadLetter } from '#src/model/types.js';

/**
 * Dead letters as JSON lines, one event a line, with its coordinates, the reason, and its bytes as they came:
 *
 *   {"topic":"…","partition":3,"offset":42,"timestamp_ms":…,"reason":"malformed","detail":"…","key":"base64"|null,"value":"base64"|null}
 */
export function encodeDeadLetters(
  topic: string,
  letters: readonly { partition: number; letter: DeadLetter }[],
): Uint8Array {
  const lines = letters.map(({ partition, letter }) =>
    JSON.stringify({
      topic,
      partition,
      offset: Number(letter.offset),
      timestamp_ms: letter.timestampMs,
      reason: letter.reason,
      detail: letter.detail,
      key: base64(letter.key),
      value: base64(letter.value),
    }),
  );
  return Buffer.from(`${lines.join('\n')}\n`);
}

function base64(bytes: Uint8Array | null): string | null {
  return bytes === null
    ? null
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The letters of a file as records of a topic: their bytes as they came, what is known of them in headers. */
export function decodeDeadLetters(bytes: Uint8Array): TopicRecord[] {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString().split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const letter = JSON.parse(line) as StoredLetter;
      const { reason, detail, topic, partition, offset, timestamp_ms: timestamp } = letter;
      const where = { topic, partition: `${partition}`, offset: `${offset}`, timestamp: `${timestamp}` };
      return {
        partition,
        key: fromBase64(letter.key),
        value: fromBase64(letter.value),
        headers: { reason, detail, ...where },
      };
    });
}

interface StoredLetter {
  topic: string;
  partition: number;
  offset: number;
  timestamp_ms: number;
  reason: string;
  detail: string;
  key: string | null;
  value: string | null;
}

function fromBase64(text: string | null): Uint8Array | null {
  return text === null ? null : Buffer.from(text, 'base64');
}
