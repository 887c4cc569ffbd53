import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';

export const USAGE = `npm run bench -- latency [--events-per-second N] [--seconds N] [--json] …

  --events-per-second N  sent at a steady rate (50000)
  --seconds N            that count (30)
  --warm-up-seconds N    sent at the same rate before (10)
  --partitions N         of the topic (24)
  --poll-ms N            how often ClickHouse is asked what it has (50)
  --flag TEXT            one more word of the engine's command line; may be repeated
  --out FOLDER           write the result there as a file
  --json                 the result as one line of JSON at the end`;

export interface LatencyOptions {
  eventsPerSecond: number;
  seconds: number;
  warmUpSeconds: number;
  partitions: number;
  pollMs: number;
  engineFlags: string[];
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseLatencyOptions(args: readonly string[]): LatencyOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      'events-per-second': text,
      seconds: text,
      'warm-up-seconds': text,
      partitions: text,
      'poll-ms': text,
      flag: { type: 'string', multiple: true, default: [] },
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  return {
    eventsPerSecond: whole('events-per-second', values['events-per-second'], 50_000, 100),
    seconds: whole('seconds', values.seconds, 30),
    warmUpSeconds: whole('warm-up-seconds', values['warm-up-seconds'], 10, 0),
    partitions: whole('partitions', values.partitions, 24),
    pollMs: whole('poll-ms', values['poll-ms'], 50, 10),
    engineFlags: values.flag,
    out: values.out,
    json: values.json,
  };
}
