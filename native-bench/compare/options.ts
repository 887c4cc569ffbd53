import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { parsePipelineOptions } from '../pipeline/options.js';
import type { TopicOptions } from '../pipeline/topic-options.js';
import { whole } from '../whole-number.js';
import type { Rival } from './rival.js';
import { RIVALS, rivalsNamed } from './rivals.js';

export const USAGE = `npm run bench -- compare [--rivals NAME,NAME,…] [--events N] [--runs N] [--report FILE] [--json] …

  --rivals NAMES    who runs beside our engine (all): ${RIVALS.map(({ name }) => name).join(', ')}
  --events N        events in the topic (3000000)
  --runs N          rounds: our engine, then each rival (1)
  --warm-up N       one run of our engine before, whose figures do not count: 0 or 1 (1)
  --partitions N    of the topic (24)
  --threads N       of each rival's work (as many as there are cores)
  --no-clickhouse   our engine into the lake alone
  --flag TEXT       one more word of our engine's command line; may be repeated
  --java TEXT       one more flag of each rival's JVM, e.g. --java=-XX:+UseParallelGC; may be repeated
  --sample N        events that JSON.parse is measured on (200000)
  --no-cache        fill the topic anew, and keep nothing
  --report FILE     tables and plots as one HTML file
  --out FOLDER      write the result there as a file, with an HTML file beside it, and show the one before it
  --json            the result as one line of JSON at the end`;

export interface CompareOptions {
  topic: TopicOptions;
  rivals: Rival[];
  runs: number;
  warmUps: number;
  threads: number;
  clickhouse: boolean;
  engineFlags: string[];
  javaFlags: string[];
  sampleEvents: number;
  cached: boolean;
  report: string | undefined;
  out: string | undefined;
  json: boolean;
}

const EVENTS = 3_000_000;

/** Throws Error for flags it does not know, and for a rival that it does not have. */
export function parseCompareOptions(args: readonly string[]): CompareOptions {
  const text = { type: 'string' } as const;
  const several = { type: 'string', multiple: true, default: [] as string[] } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      rivals: text,
      events: text,
      runs: text,
      'warm-up': text,
      partitions: text,
      threads: text,
      'no-clickhouse': { type: 'boolean', default: false },
      flag: several,
      java: several,
      sample: text,
      'no-cache': { type: 'boolean', default: false },
      report: text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  const events = whole('events', values.events, EVENTS);
  // the topic of `pipeline`, so that one that is kept serves both
  const { topic } = parsePipelineOptions([
    `--events=${events}`,
    ...(values.partitions === undefined ? [] : [`--partitions=${values.partitions}`]),
  ]);
  return {
    topic,
    rivals: values.rivals === undefined ? [...RIVALS] : rivalsNamed(values.rivals),
    runs: whole('runs', values.runs, 1),
    warmUps: whole('warm-up', values['warm-up'], 1, 0),
    threads: whole('threads', values.threads, availableParallelism()),
    clickhouse: !values['no-clickhouse'],
    engineFlags: values.flag,
    javaFlags: values.java,
    sampleEvents: whole('sample', values.sample, 200_000),
    cached: !values['no-cache'],
    report: values.report,
    out: values.out,
    json: values.json,
  };
}
