/**
 * How long a table keeps things, as its properties say it to whoever cleans it up: `interval 30 days`, also several parts, also without
 * `interval`. Months and years are not allowed there; what can't be read counts as the default.
 */
const DAY_MS = 86_400_000;

type Configuration = Readonly<Record<string, string>>;

/** Versions of the log. */
export function logRetentionMs(configuration: Configuration): number {
  return durationMs(configuration['delta.logRetentionDuration'], 30 * DAY_MS);
}

/** Files that are in the table no more, and the log's knowledge of them. */
export function deletedFileRetentionMs(configuration: Configuration): number {
  return durationMs(configuration['delta.deletedFileRetentionDuration'], 7 * DAY_MS);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
};

function durationMs(text: string | undefined, defaultMs: number): number {
  if (text === undefined) return defaultMs;
  let ms = 0;
  for (const [, amount, unit] of text.toLowerCase().matchAll(/(\d+)\s*([a-z]+?)s?\b/g)) {
    ms += Number(amount) * (UNIT_MS[unit!] ?? 0);
  }
  return ms === 0 ? defaultMs : ms;
}
