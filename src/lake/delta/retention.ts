/**
 * How long a table's log is kept, as its `delta.logRetentionDuration` says it to whoever cleans it up: `interval 30 days`, also
 * several parts, also without `interval`. Months and years are not allowed there; what can't be read counts as the default.
 */
const DEFAULT_MS = 30 * 86_400_000;

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
};

export function logRetentionMs(configuration: Readonly<Record<string, string>>): number {
  const text = configuration['delta.logRetentionDuration'];
  if (text === undefined) return DEFAULT_MS;
  let ms = 0;
  for (const [, amount, unit] of text.toLowerCase().matchAll(/(\d+)\s*([a-z]+?)s?\b/g)) {
    ms += Number(amount) * (UNIT_MS[unit!] ?? 0);
  }
  return ms === 0 ? DEFAULT_MS : ms;
}
