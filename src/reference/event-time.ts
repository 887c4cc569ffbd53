import type { CompiledModel } from '../model/types.js';

/**
 * Event times → milliseconds since 1970. Nothing is guessed: a value in another form than the model says has no time.
 *
 *   iso8601   YYYY-MM-DDTHH:MM:SS[.f{1,9}][Z|±HH:MM]   no zone = UTC; fractions are cut to ms
 *   epoch_ms  a number, cut to a whole one
 *   epoch_s   a number, cut to ms
 */

const ISO_8601 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))?$/;

/** 1970-01-01 up to the last millisecond of 2262, UTC: what every sink can hold. */
const TIME_MS_MAX = Date.UTC(2263, 0, 1) - 1;

/** The time of a JSON value, or null when it has none. */
export function tryParseTime(value: unknown, format: CompiledModel['timeFormat']): number | null {
  if (format === 'iso8601') return typeof value === 'string' ? tryParseIso8601(value) : null;
  if (typeof value !== 'number') return null;
  // seconds go through whole microseconds: 1700000000.123 * 1000 is a little less than …123
  const ms = format === 'epoch_ms' ? value : Math.round(value * 1e6) / 1e3;
  return timeInRange(Math.floor(ms));
}

export function tryParseIso8601(text: string): number | null {
  const match = ISO_8601.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const ms = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offsetMs = tryOffsetMs(match[8], Number(match[9] ?? 0), Number(match[10] ?? 0));
  // years below 100 would be taken for 19xx by Date.UTC; they are out of range anyway
  if (offsetMs === null || year < 1969) return null;
  return timeInRange(Date.UTC(year, month - 1, day, hour, minute, second, ms) - offsetMs);
}

function tryOffsetMs(sign: string | undefined, hours: number, minutes: number): number | null {
  if (hours > 23 || minutes > 59) return null;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Null: no sink can hold it. */
export function timeInRange(ms: number): number | null {
  // the sum makes 0 of −0
  return ms >= 0 && ms <= TIME_MS_MAX ? ms + 0 : null;
}
