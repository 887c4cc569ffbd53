import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';
import type { TopicOptions } from './topic-options.js';

export const USAGE = `npm run bench -- pipeline [--events N] [--runs N] [--engine NAME] [--json] …

  --events N             events in the topic (3000000)
  --partitions N         of the topic (24)
  --users N              who come and go (one for 30 events: 100000)
  --records-per-batch N  200: about 118 KB, 30 KB compressed
  --runs N               runs that count, after one that warms up (5)
  --engine NAME          kernel or reference
  --flag TEXT            one more word of the engine's command line, e.g. --flag=--workers=2; may be repeated
  --sample N             events that JSON.parse is measured on (200000)
  --no-cache             fill the topic anew, and keep nothing
  --out FOLDER           write the result there as a file, and show the one before it beside this one
  --json                 the result as one line of JSON at the end`;

export interface PipelineOptions {
  topic: TopicOptions;
  runs: number;
  /** One warms up unless the figures do not matter. */
  warmUps: number;
  engineFlags: string[];
  sampleEvents: number;
  cached: boolean;
  out: string | undefined;
  json: boolean;
}

/** Two sessions a user, of which the first ones have ended. */
const EVENTS_PER_USER = 30;

/** Asked of the generator, so that with those that are still open at the end it is 20. */
const EVENTS_PER_SESSION_MEAN = 23;

/** Throws Error for flags it does not know. */
export function parsePipelineOptions(args: readonly string[]): PipelineOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: text,
      partitions: text,
      users: text,
      'records-per-batch': text,
      runs: text,
      'warm-ups': text,
      engine: text,
      flag: { type: 'string', multiple: true, default: [] },
      sample: text,
      'no-cache': { type: 'boolean', default: false },
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  const { engine, flag, json, out } = values;
  const events = whole('events', values.events, 3_000_000);
  return {
    topic: {
      events,
      partitions: whole('partitions', values.partitions, 24),
      users: whole('users', values.users, Math.ceil(events / EVENTS_PER_USER)),
      eventsPerSessionMean: EVENTS_PER_SESSION_MEAN,
      recordsPerBatch: whole('records-per-batch', values['records-per-batch'], 200),
    },
    runs: whole('runs', values.runs, 5),
    warmUps: whole('warm-ups', values['warm-ups'], 1, 0),
    engineFlags: [...(engine === undefined ? [] : ['--engine', engine]), ...flag],
    sampleEvents: whole('sample', values.sample, 200_000),
    cached: !values['no-cache'],
    out,
    json,
  };
}
