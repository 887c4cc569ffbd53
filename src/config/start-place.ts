import { z } from 'zod';
import { MISSING } from './fields.js';
import { suggest } from './suggest.js';
import type { StartPlace } from './types.js';
import { quote } from './units.js';

/** Where a lane begins: a word, or a time. */

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/;
const WORDS = ['earliest', 'latest'] as const;

/** Null: it is none. A time without a zone is UTC, a date its midnight. */
export function parseStartPlace(text: string): StartPlace | null {
  if (text === 'earliest' || text === 'latest') return text;
  const match = TIME.exec(text);
  if (match === null) return null;
  const zoned = match[1] === undefined || match[4] !== undefined ? text : `${text}Z`;
  const timestampMs = Date.parse(zoned);
  return Number.isNaN(timestampMs) || timestampMs < 0 ? null : { timestampMs };
}

export const START_PLACE = 'earliest, latest or a time such as 2026-01-31T12:00:00Z';

export function startPlace() {
  const error = ({ input }: { input?: unknown }) => {
    if (input === undefined) return MISSING;
    const near = typeof input === 'string' ? suggest(input, WORDS) : undefined;
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    return `must be ${START_PLACE}, not ${quote(String(input))}${hint}`;
  };
  return z.string({ error }).transform((input, context) => {
    const place = parseStartPlace(input);
    if (place !== null) return place;
    context.addIssue({ code: 'custom', input, message: error({ input }) });
    return z.NEVER;
  });
}
