import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';
import { BENCH_MODELS, type BenchModel, TOPICS, type TopicOptions } from './topic-options.js';

export const USAGE = `npm run bench -- pipeline [--model NAME] [--events N] [--runs N] [--no-clickhouse] [--json] …

  --model NAME           clickstream (LZ4) or web_clicks (snappy)
  --events N             events in the topic (6000000)
  --partitions N         of the topic (24; web_clicks: 20)
  --users N              who come and go (one for 30 events: 100000)
  --records-per-batch N  200: about 118 KB, 30 KB compressed
  --runs N               runs that count, after one that warms up (5)
  --no-clickhouse        the lake alone
  --lake-too             each run once more with the lake alone, for the ratio without ClickHouse
  --cost-of-exactly-once each run once more with a cut each 30 s and a snapshot at the end only, for the ratio of their CPU
  --engine NAME          kernel or reference
  --flag TEXT            one more word of the engine's command line, e.g. --flag=--workers=2; may be repeated
  --sample N             events that JSON.parse is measured on (200000)
  --no-cache             fill the topic anew, and keep nothing
  --out FOLDER           write the result there as a file, and show the one before it beside this one
  --json                 the result as one line of JSON at the end`;

export interface PipelineOptions {
  topic: TopicOptions;
  runs: number;
  /** Whether an embedded ClickHouse follows the table. */
  clickhouse: boolean;
  /** Each run is made once more without it. */
  lakeToo: boolean;
  /** Each run is made once more with hardly any cuts and snapshots. */
  costOfExactlyOnce: boolean;
  /** One warms up unless the figures do not matter. */
  warmUps: number;
  engineFlags: string[];
  sampleEvents: number;
  cached: boolean;
  out: string | undefined;
  json: boolean;
}

/** Two sessions a user at least, of which the first ones have ended. */
const EVENTS_PER_USER = 30;
const USERS_MAX = 100_000;

/** Asked of the generator, so that with those that are still open at the end it is 20. */
const EVENTS_PER_SESSION_MEAN = 23;

/** Throws Error for flags it does not know. */
export function parsePipelineOptions(args: readonly string[]): PipelineOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: text,
      events: text,
      partitions: text,
      users: text,
      'records-per-batch': text,
      runs: text,
      'warm-ups': text,
      'no-clickhouse': { type: 'boolean', default: false },
      'lake-too': { type: 'boolean', default: false },
      'cost-of-exactly-once': { type: 'boolean', default: false },
      engine: text,
      flag: { type: 'string', multiple: true, default: [] },
      sample: text,
      'no-cache': { type: 'boolean', default: false },
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  const { engine, flag, json, out } = values;
  const model = modelOf(values.model ?? 'clickstream');
  const events = whole('events', values.events, 6_000_000);
  const clickhouse = !values['no-clickhouse'];
  if (!clickhouse && values['lake-too']) throw new Error('--lake-too and --no-clickhouse: one of them');
  return {
    topic: {
      model,
      events,
      partitions: whole('partitions', values.partitions, TOPICS[model].partitions),
      users: whole('users', values.users, Math.min(USERS_MAX, Math.ceil(events / EVENTS_PER_USER))),
      eventsPerSessionMean: EVENTS_PER_SESSION_MEAN,
      recordsPerBatch: whole('records-per-batch', values['records-per-batch'], 200),
    },
    runs: whole('runs', values.runs, 5),
    warmUps: whole('warm-ups', values['warm-ups'], 1, 0),
    clickhouse,
    lakeToo: values['lake-too'],
    costOfExactlyOnce: values['cost-of-exactly-once'],
    engineFlags: [...(engine === undefined ? [] : ['--engine', engine]), ...flag],
    sampleEvents: whole('sample', values.sample, 200_000),
    cached: !values['no-cache'],
    out,
    json,
  };
}

function modelOf(name: string): BenchModel {
  const model = BENCH_MODELS.find((known) => known === name);
  if (model === undefined) throw new Error(`--model takes ${BENCH_MODELS.join(' or ')}`);
  return model;
}
