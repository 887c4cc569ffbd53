/**
 * Where an event of a load says who and when; the rest of it is text from a film (`films.ts`). All holes are of one width, so
 * that an event's length is known before it is written:
 * ```
 * clickstream  {"event_id":"‹uuid›","timestamp":"‹time›","user_id":"user-‹digits›","session_id":"‹uuid›"‹tail›}
 * web_clicks   {"event_id":"‹uuid›","timestamp":"‹time›","session_id":"‹uuid›","user_id":‹digits›‹tail›}
 * ```
 */
export type LoadModel = 'clickstream' | 'web_clicks';

export const UUID_BYTES = 36;
/** 2026-01-31T12:00:00.000Z */
export const TIME_BYTES = 24;
/** Of the time, what stays the same for a minute: 2026-01-31T12:00: */
export const MINUTE_BYTES = 17;
const DIGITS_MIN = 6;

export interface EventLayout {
  model: LoadModel;
  /** Users are known by so many digits. */
  digits: number;
  /** The first user's number. */
  userNumberMin: number;
  /** Before the event's id, the time, the first of user and session, the second of them, the tail. */
  beforeId: Buffer;
  beforeTime: Buffer;
  beforeFirst: Buffer;
  beforeSecond: Buffer;
  beforeTail: Buffer;
  /** The user stands before the session. */
  userFirst: boolean;
  /** Of the record's key. */
  keyBytes: number;
  /** Of a value with an empty tail, its closing brace included. */
  bytesMin: number;
}

const USER_PREFIX = 'user-';
export const USER_PREFIX_BYTES = Buffer.from(USER_PREFIX);
export const END = Buffer.from('}');

export function eventLayout(model: LoadModel, users: number): EventLayout {
  const userFirst = model === 'clickstream';
  // numbers without leading zeros: the first user is the smallest number of its width
  const digits = Math.max(DIGITS_MIN, String(userFirst ? users - 1 : Math.ceil(users / 9) * 10 - 1).length);
  const texts = userFirst
    ? [`","user_id":"${USER_PREFIX}`, '","session_id":"', '"']
    : ['","session_id":"', '","user_id":', ''];
  const [beforeFirst, beforeSecond, beforeTail] = texts.map((text) => Buffer.from(text));
  const beforeId = Buffer.from('{"event_id":"');
  const beforeTime = Buffer.from('","timestamp":"');
  const fixed = [beforeId, beforeTime, beforeFirst!, beforeSecond!, beforeTail!, END];
  return {
    model,
    digits,
    userNumberMin: userFirst ? 0 : 10 ** (digits - 1),
    beforeId,
    beforeTime,
    beforeFirst: beforeFirst!,
    beforeSecond: beforeSecond!,
    beforeTail: beforeTail!,
    userFirst,
    keyBytes: userFirst ? USER_PREFIX.length + digits : UUID_BYTES,
    bytesMin: fixed.reduce((sum, { length }) => sum + length, 2 * UUID_BYTES + TIME_BYTES + digits),
  };
}

/** The record's key of a user of `clickstream`. */
export function userKey(number: number, { digits }: EventLayout): string {
  return USER_PREFIX + String(number).padStart(digits, '0');
}
