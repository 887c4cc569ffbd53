import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';

export const USAGE = `npm run bench -- model [--sessions N] [--events N] [--rounds N] [--out FOLDER] [--json]

  --sessions N          active sessions of the early updates, and about as many open ones of the wide model (100000)
  --events N            events a round of the wide model (200000)
  --rounds N            rounds that count, and marks of the early updates (9)
  --lanes N             partitions (24)
  --records-per-batch N 200
  --out FOLDER          write the result there as a file
  --json                the result as one line of JSON at the end`;

export interface ModelOptions {
  sessions: number;
  eventsPerRound: number;
  rounds: number;
  lanes: number;
  recordsPerBatch: number;
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseModelOptions(args: readonly string[]): ModelOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      sessions: text,
      events: text,
      rounds: text,
      lanes: text,
      'records-per-batch': text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  return {
    sessions: whole('sessions', values.sessions, 100_000),
    eventsPerRound: whole('events', values.events, 200_000),
    rounds: whole('rounds', values.rounds, 9),
    lanes: whole('lanes', values.lanes, 24),
    recordsPerBatch: whole('records-per-batch', values['records-per-batch'], 200),
    out: values.out,
    json: values.json,
  };
}
