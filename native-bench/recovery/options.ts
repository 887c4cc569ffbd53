import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';

export const USAGE = `npm run bench -- recovery [--open-sessions N] [--repetitions N] [--json] …

  --open-sessions N        about so many are open all the time (500000); filling takes 16 events for each
  --partitions N           of the topic (24)
  --events-per-second N    sent all the time: sessions go on, close and begin in every lane (20000)
  --repetitions N          engines killed in a classic group (5)
  --kip848-repetitions N   engines killed in a group by KIP-848, apart (1): the broker waits 45 s for them
  --settle-seconds N       from the moment at which both engines have their lanes to the kill (45): each lane has had a snapshot since
  --flag TEXT              one more word of the engines' command line; may be repeated
  --out FOLDER             write the result there as a file
  --json                   the result as one line of JSON at the end`;

export interface RecoveryOptions {
  openSessions: number;
  partitions: number;
  eventsPerSecond: number;
  repetitions: number;
  kip848Repetitions: number;
  settleSeconds: number;
  engineFlags: string[];
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseRecoveryOptions(args: readonly string[]): RecoveryOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      'open-sessions': text,
      partitions: text,
      'events-per-second': text,
      repetitions: text,
      'kip848-repetitions': text,
      'settle-seconds': text,
      flag: { type: 'string', multiple: true, default: [] },
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  return {
    openSessions: whole('open-sessions', values['open-sessions'], 500_000),
    // two engines, each with lanes
    partitions: whole('partitions', values.partitions, 24, 2),
    eventsPerSecond: whole('events-per-second', values['events-per-second'], 20_000),
    repetitions: whole('repetitions', values.repetitions, 5),
    kip848Repetitions: whole('kip848-repetitions', values['kip848-repetitions'], 1, 0),
    settleSeconds: whole('settle-seconds', values['settle-seconds'], 45, 0),
    engineFlags: values.flag,
    out: values.out,
    json: values.json,
  };
}
