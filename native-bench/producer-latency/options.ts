import { parseArgs } from 'node:util';
import { checkedProfile, type ProducerProfile } from '#src/producer/profiles.js';
import { whole } from '../whole-number.js';

export const USAGE = `npm run bench -- producer-latency [--rates N,N,…] [--seconds N] [--report FILE] …

  --rates N,N,…         events a second, one after the other (1000,10000,30000)
  --seconds N           that count, of each (20)
  --warm-up-seconds N   sent at the same rate before (5)
  --rounds N            each contender at each rate, so many times (3)
  --profile NAME        of the client, and of Java's (latency)
  --partitions N        of the topic (30)
  --throughput-events N sent in a round of bench -- producer before it; 0: without (300000)
  --report FILE         tables and plots as one HTML file
  --out FOLDER          write the result there as a file
  --json                the result as one line of JSON at the end`;

export interface ProducerLatencyOptions {
  rates: number[];
  seconds: number;
  warmUpSeconds: number;
  rounds: number;
  profile: ProducerProfile;
  partitions: number;
  throughputEvents: number;
  report: string | undefined;
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseProducerLatencyOptions(args: readonly string[]): ProducerLatencyOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      rates: text,
      seconds: text,
      'warm-up-seconds': text,
      rounds: text,
      profile: text,
      partitions: text,
      'throughput-events': text,
      report: text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  return {
    rates: (values.rates ?? '1000,10000,30000').split(',').map((rate) => whole('rates', rate, 0)),
    seconds: whole('seconds', values.seconds, 20),
    warmUpSeconds: whole('warm-up-seconds', values['warm-up-seconds'], 5, 0),
    rounds: whole('rounds', values.rounds, 3),
    profile: checkedProfile(values.profile ?? 'latency'),
    partitions: whole('partitions', values.partitions, 30),
    throughputEvents: whole('throughput-events', values['throughput-events'], 300_000, 0),
    report: values.report,
    out: values.out,
    json: values.json,
  };
}
