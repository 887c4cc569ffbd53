import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';
import type { EngineName } from './bench-engine.js';
import type { BenchModel } from './event-templates.js';

export const USAGE = `npm run bench -- kernel [--open-sessions N,N,…] [--model NAME] [--engine NAME] [--json] …

  --open-sessions N,…   how many are open at once, one measurement each (10000,500000,5000000)
  --engine NAME         kernel (default) or reference
  --model NAME          clickstream (default) or web_clicks
  --events N            events a round (200000)
  --rounds N            rounds that count (9)
  --lanes N             partitions (24)
  --records-per-batch N 200: some 27 KB compressed
  --hours N             event time that the first measurement goes on for, for memory over a day (24)
  --out FOLDER          write the result there as a file
  --json                the result as one line of JSON at the end

Warming up takes 17 events for each open session: minutes for five million.`;

export interface KernelOptions {
  openSessions: number[];
  engine: EngineName;
  model: BenchModel;
  eventsPerRound: number;
  rounds: number;
  lanes: number;
  recordsPerBatch: number;
  hours: number;
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseKernelOptions(args: readonly string[]): KernelOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      'open-sessions': { type: 'string', default: '10000,500000,5000000' },
      engine: { type: 'string', default: 'kernel' },
      model: { type: 'string', default: 'clickstream' },
      events: text,
      rounds: text,
      lanes: text,
      'records-per-batch': text,
      hours: text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  const { engine, model, out, json } = values;
  if (engine !== 'kernel' && engine !== 'reference') throw new Error('--engine takes kernel or reference');
  if (model !== 'clickstream' && model !== 'web_clicks') {
    throw new Error('--model takes clickstream or web_clicks');
  }
  return {
    openSessions: values['open-sessions'].split(',').map((count) => whole('open-sessions', count, 0)),
    engine,
    model,
    eventsPerRound: whole('events', values.events, 200_000),
    rounds: whole('rounds', values.rounds, 9),
    lanes: whole('lanes', values.lanes, 24),
    recordsPerBatch: whole('records-per-batch', values['records-per-batch'], 200),
    hours: whole('hours', values.hours, 24),
    out,
    json,
  };
}
