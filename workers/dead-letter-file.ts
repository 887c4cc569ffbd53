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
