import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';

export const USAGE = `npm run bench -- warehouse [--sessions N] [--rounds N] [--json] …

  --sessions N   of the model web_clicks, over 30 days (10000000)
  --rounds N     how often each query of a view is asked (100)
  --base-rounds N  how often its like is asked of the rows (3)
  --sample N     sessions that are stored with and without codecs (1000000)
  --out FOLDER   write the result there as a file
  --json         the result as one line of JSON at the end`;

export interface WarehouseOptions {
  sessions: number;
  rounds: number;
  baseRounds: number;
  sample: number;
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseWarehouseOptions(args: readonly string[]): WarehouseOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      sessions: text,
      rounds: text,
      'base-rounds': text,
      sample: text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  return {
    sessions: whole('sessions', values.sessions, 10_000_000, 100),
    rounds: whole('rounds', values.rounds, 100),
    baseRounds: whole('base-rounds', values['base-rounds'], 3),
    sample: whole('sample', values.sample, 1_000_000, 100),
    out: values.out,
    json: values.json,
  };
}
