import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';

export const USAGE = `npm run bench -- catchup [--outage-seconds N] [--events-per-second N] [--json] …

  --outage-seconds N     that ClickHouse was away; a commit each (600)
  --events-per-second N  of which the lake got sessions meanwhile (100000)
  --events-a-session N   (20)
  --workers N            each writes a file a commit and inserts one at a time (2)
  --lanes N              partitions (24)
  --views                with all analytic views: then their queries are asked, too, while commits go on
  --live-seconds N       a commit each, when ClickHouse is caught up: alone, and with queries (10)
  --queries-a-day N      of the analytic views, one after the other (100000)
  --out FOLDER           write the result there as a file
  --json                 the result as one line of JSON at the end`;

export interface CatchupOptions {
  outageSeconds: number;
  eventsPerSecond: number;
  eventsASession: number;
  workers: number;
  lanes: number;
  views: boolean;
  liveSeconds: number;
  queriesADay: number;
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseCatchupOptions(args: readonly string[]): CatchupOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      'outage-seconds': text,
      'events-per-second': text,
      'events-a-session': text,
      workers: text,
      lanes: text,
      views: { type: 'boolean', default: false },
      'live-seconds': text,
      'queries-a-day': text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  return {
    outageSeconds: whole('outage-seconds', values['outage-seconds'], 600),
    eventsPerSecond: whole('events-per-second', values['events-per-second'], 100_000, 100),
    eventsASession: whole('events-a-session', values['events-a-session'], 20),
    workers: whole('workers', values.workers, 2),
    lanes: whole('lanes', values.lanes, 24),
    views: values.views,
    liveSeconds: whole('live-seconds', values['live-seconds'], 10),
    queriesADay: whole('queries-a-day', values['queries-a-day'], 100_000),
    out: values.out,
    json: values.json,
  };
}
