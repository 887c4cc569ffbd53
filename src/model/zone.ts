/**
 * Time zones, for splits at midnight. A zone is its offsets to UTC from 1970 to 2262, taken once from the runtime's time zone
 * data: kernel and reference look into the same table.
 */
export interface Zone {
  name: string;
  /** When each offset begins, ascending; the first holds for all time before, too. */
  fromMs: readonly number[];
  /** Local time − UTC, by the same index. */
  offsetMs: readonly number[];
}

const DAY_MS = 86_400_000;
/** Two changes of a clock lie further apart than this. */
const STEP_MS = 7 * DAY_MS;
/** The last time that an event can have, and a while. */
const END_MS = Date.UTC(2262, 4, 1);

const known = new Map<string, Zone>();

/** Null: the runtime knows no such zone. */
export function tryZone(name: string): Zone | null {
  let zone = known.get(name);
  if (zone === undefined) {
    const offsetAt = tryOffsets(name);
    if (offsetAt === null) return null;
    zone = { name, ...changesOf(offsetAt) };
    known.set(name, zone);
  }
  return zone;
}

/** The first time after `timeMs` that has another local date. */
export function midnightAfter({ fromMs, offsetMs }: Zone, timeMs: number): number {
  let at = fromMs.length - 1;
  while (at > 0 && fromMs[at]! > timeMs) at--;
  const day = Math.floor((timeMs + offsetMs[at]!) / DAY_MS);
  for (; ; at++) {
    const midnightMs = (day + 1) * DAY_MS - offsetMs[at]!;
    const nextMs = fromMs[at + 1] ?? Number.POSITIVE_INFINITY;
    if (midnightMs < nextMs) return midnightMs;
    // the clock is put forward over midnight, or back over it
    if (Math.floor((nextMs + offsetMs[at + 1]!) / DAY_MS) !== day) return nextMs;
  }
}

/** What the local time is ahead of UTC at a time, by the runtime's data. */
function tryOffsets(name: string): ((timeMs: number) => number) | null {
  try {
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
    const clock = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const;
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, ...parts, ...clock });
    return (timeMs) => {
      const wholeMs = Math.floor(timeMs / 1_000) * 1_000;
      const [month, day, year, hour, minute, second] = format.format(wholeMs).split(/\D+/).map(Number) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs;
    };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function changesOf(offsetAt: (timeMs: number) => number): Omit<Zone, 'name'> {
  const fromMs = [0];
  const offsetMs = [offsetAt(0)];
  for (let timeMs = 0; timeMs < END_MS; timeMs += STEP_MS) {
    const before = offsetMs.at(-1)!;
    if (offsetAt(timeMs + STEP_MS) === before) continue;
    let low = timeMs;
    let high = timeMs + STEP_MS;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    fromMs.push(high);
    offsetMs.push(offsetAt(high));
  }
  return { fromMs, offsetMs };
}
