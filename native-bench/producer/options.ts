import { parseArgs } from 'node:util';
import { checkedProfile, type ProducerProfile } from '#src/producer/profiles.js';
import { whole } from '../whole-number.js';

export const USAGE = `npm run bench -- producer [--events N] [--rounds N] [--profile NAME] [--json] …

  --events N       sent in a round by each (1000000)
  --bulk-events N  the same of bulk and of its floor (5000000)
  --rounds N       each sends in turn, so many times (3)
  --profile NAME   default or throughput, of the client and of Java's (default)
  --partitions N   of the topic (30)
  --out FOLDER     write the result there as a file
  --json           the result as one line of JSON at the end`;

export interface ProducerBenchOptions {
  events: number;
  bulkEvents: number;
  rounds: number;
  profile: ProducerProfile;
  partitions: number;
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseProducerOptions(args: readonly string[]): ProducerBenchOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: text,
      'bulk-events': text,
      rounds: text,
      profile: text,
      partitions: text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  return {
    events: whole('events', values.events, 1_000_000, 100),
    bulkEvents: whole('bulk-events', values['bulk-events'], 5_000_000, 100),
    rounds: whole('rounds', values.rounds, 3),
    profile: checkedProfile(values.profile ?? 'default'),
    partitions: whole('partitions', values.partitions, 30),
    out: values.out,
    json: values.json,
  };
}
