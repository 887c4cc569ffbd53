/**
 * Durations and sizes as people write them: a whole number or a decimal and a unit, `10s`, `1.5GiB`. A number without a
 * unit is never guessed at. A failed parse is a value that says what to write instead.
 */

export type Parsed = { ok: true; value: number } | { ok: false; message: string };

const DURATION_UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS_BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** What people write for a unit → the unit we take. Only for suggestions: `MB` is either of two sizes. */
const DURATION_SYNONYMS: Readonly<Record<string, keyof typeof DURATION_UNITS_MS>> = {
  millis: 'ms',
  milliseconds: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
};
const SIZE_SYNONYMS: Readonly<Record<string, keyof typeof SIZE_UNITS_BYTES>> = {
  bytes: 'B',
  k: 'KiB',
  kb: 'KiB',
  kib: 'KiB',
  m: 'MiB',
  mb: 'MiB',
  mib: 'MiB',
  g: 'GiB',
  gb: 'GiB',
  gib: 'GiB',
  t: 'TiB',
  tb: 'TiB',
  tib: 'TiB',
};

const NUMBER_AND_UNIT = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/;

/** `500ms`, `10s`, `5m`, `1.5h`, `2d` → milliseconds. */
export function parseDurationMs(input: string | number): Parsed {
  return parse(input, DURATION_UNITS_MS, DURATION_SYNONYMS, 'a duration such as 500ms, 10s or 5m', (bare) =>
    bare >= 1_000 ? formatDuration(Math.round(bare)) : `${bare}s`,
  );
}

/** `512B`, `64KiB`, `1.5GiB` → bytes. */
export function parseBytes(input: string | number): Parsed {
  return parse(input, SIZE_UNITS_BYTES, SIZE_SYNONYMS, 'a size such as 64KiB, 16MiB or 1GiB', (bare) =>
    bare >= 1_024 ? formatSize(Math.round(bare)) : `${bare}MiB`,
  );
}

/** Exact, in the largest unit that divides it: 90000 → `90s`. Parses back to the same number. */
export function formatDuration(ms: number): string {
  return exact(ms, DURATION_UNITS_MS);
}

/** Exact, in the largest unit that divides it: 67108864 → `64MiB`. Parses back to the same number. */
export function formatSize(bytes: number): string {
  return exact(bytes, SIZE_UNITS_BYTES);
}

function parse(
  input: string | number,
  units: Readonly<Record<string, number>>,
  synonyms: Readonly<Record<string, string>>,
  what: string,
  suggestForBare: (bare: number) => string,
): Parsed {
  const match = NUMBER_AND_UNIT.exec(String(input));
  if (match === null) return { ok: false, message: `must be ${what}, not ${quote(input)}` };
  const [, digits = '', unit = ''] = match;
  const amount = Number(digits);
  if (unit === '') {
    return { ok: false, message: `${digits} has no unit: write ${suggestForBare(amount)} if you mean that` };
  }
  const scale = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (scale === undefined) {
    const meant = synonyms[unit.toLowerCase()];
    const hint = meant === undefined ? `must be ${what}` : `write ${digits}${meant}`;
    return { ok: false, message: `${quote(input)} has an unknown unit: ${hint}` };
  }
  // a decimal such as 1.1s must not be refused for its binary rounding
  const value = Math.round(amount * scale);
  if (Math.abs(value - amount * scale) > 1e-6 || !Number.isSafeInteger(value)) {
    return { ok: false, message: `${quote(input)} is not a whole number of ${Object.keys(units)[0]}` };
  }
  return { ok: true, value };
}

function exact(value: number, units: Readonly<Record<string, number>>): string {
  const fitting = Object.entries(units).filter(([, scale]) => value % scale === 0);
  const [unit, scale] = (value === 0 ? Object.entries(units)[0] : fitting.at(-1)) ?? ['', 1];
  return `${value / scale}${unit}`;
}

/** A value from outside on one line, with a bounded length. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
