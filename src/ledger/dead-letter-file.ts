import type { DeadLetter } from '../model/types.js';
import type { TopicRecord } from './record-pack.js';

/**
 * Dead letters as JSON lines, one event a line, with its coordinates, the reason, and its bytes as they came:
 *
 *   {"topic":"…","partition":3,"offset":42,"timestamp_ms":…,"reason":"malformed","detail":"…","key":"base64"|null,"value":"base64"|null}
 *
 * Of a message of several events also which of them (`"item":2`); its value then holds that event alone.
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
      ...(letter.item === undefined ? {} : { item: letter.item }),
      timestamp_ms: letter.timestampMs,
      reason: letter.reason,
      detail: letter.detail,
      key: base64(letter.key),
      value: base64(letter.value),
    } satisfies LetterLine),
  );
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** The letters of a file as records of a topic: their bytes as they came, what is known of them in headers. */
export function decodeDeadLetters(bytes: Uint8Array): TopicRecord[] {
  return Array.from(letterLines(bytes), (line) => ({
    partition: line.partition,
    key: letterBytes(line.key),
    value: letterBytes(line.value),
    headers: letterHeaders(line),
  }));
}

/** A line of the file. */
export interface LetterLine {
  topic: string;
  partition: number;
  offset: number;
  item?: number;
  timestamp_ms: number;
  reason: string;
  detail: string;
  /** Base64. */
  key: string | null;
  value: string | null;
}

export function* letterLines(bytes: Uint8Array): Generator<LetterLine> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let from = 0; from < buffer.length; ) {
    const end = buffer.indexOf(NEWLINE, from);
    const to = end < 0 ? buffer.length : end;
    if (to > from) yield JSON.parse(buffer.toString('utf8', from, to)) as LetterLine;
    from = to + 1;
  }
}

const NEWLINE = 0x0a;

/** Of its record in the topic of dead letters. */
export function letterHeaders(line: LetterLine): Record<string, string> {
  const { reason, detail, topic, partition, offset, item, timestamp_ms: timestamp } = line;
  const where = { topic, partition: `${partition}`, offset: `${offset}`, timestamp: `${timestamp}` };
  return { reason, detail, ...where, ...(item === undefined ? {} : { item: `${item}` }) };
}

export function letterBytes(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64');
}

function base64(bytes: Uint8Array | null): string | null {
  return bytes === null
    ? null
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The detail of a letter of somebody who was erased (`headrace forget`): its key and value are null. */
export const ERASED_DETAIL = 'erased';
