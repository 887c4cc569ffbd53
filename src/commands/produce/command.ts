import type { Command } from 'commander';
import type { LoadBrokersOptions } from '../../config/load-brokers.js';
import { suggest } from '../../config/suggest.js';
import type { BrokerAccess } from '../../config/types.js';
import { parseDurationMs } from '../../config/units.js';
import { HeadraceError } from '../../errors.js';
import { DIRT_KINDS, type DirtShares, EXTRA_KINDS } from '../../generator/load/dirt.js';
import type { LoadModel } from '../../generator/load/event-layout.js';
import { USERS_MAX } from '../../generator/load/load-plan.js';
import { brokersOf } from '../monitor/brokers-flag.js';
import { PRODUCE_EXAMPLES } from './examples.js';
import type { ProduceOptions } from './produce.js';

export type ProduceLoader = () => Promise<{ produceCommand(options: ProduceOptions): Promise<number> }>;

export const ownProduceLoader: ProduceLoader = () => import('./produce.js');

export interface ProduceSurroundings {
  stdout(text: string): void;
  loadBrokers(options: LoadBrokersOptions): BrokerAccess;
  done(exitCode: number): void;
  loader: ProduceLoader;
}

interface ProduceFlags {
  config?: string;
  brokers?: string;
  model?: string;
  topic?: string;
  sender: string;
  rate: string;
  duration?: string;
  count?: string;
  users?: string;
  sessions: string;
  sessionEvents: string;
  seed: string;
  speed?: string;
  start?: string;
  disordered: string;
  late: string;
  duplicated: string;
  malformed: string;
  future: string;
  workers?: string;
  metricsFile?: string;
  json?: boolean;
}

/** Where each model's events go. */
const TOPICS: Readonly<Record<LoadModel, string>> = {
  clickstream: 'clickstream_events',
  web_clicks: 'web_clicks',
};
const RECORDS_MAX = 1e12;
const RATE_MAX = 1e7;
const EXTRA_SHARE_MAX = 0.9;

/** Adds `headrace produce` to the command line. */
export function addProduceCommand(
  cli: Command,
  { stdout, loadBrokers, done, loader }: ProduceSurroundings,
): void {
  cli
    .command('produce')
    .description('send realistic events of a model to a topic, at a rate or as fast as it goes')
    .option(
      '--config <file>',
      'YAML file of an engine, of which only kafka.brokers and kafka.security are read',
    )
    .option('--brokers <host:port,…>', 'Kafka brokers to ask first')
    .option('--model <name>', 'clickstream or web_clicks')
    .option('--topic <name>', 'topic to send to; without it clickstream_events or web_clicks')
    .option('--sender <name>', 'client (one event at a time) or bulk (batches made in threads)', 'client')
    .option('--rate <events/s|max>', 'events a second', '10000')
    .option('--duration <duration>', 'how long, such as 60s; without it and --count 60s')
    .option('--count <n>', 'how many events, instead of a duration')
    .option(
      '--users <n>',
      'people who come and go; without it 10000, or more where events would take over a day',
    )
    .option('--sessions <kind>', 'journeys, or one-event: each event a session of its own', 'journeys')
    .option('--session-events <n>', 'events of a session on average', '8')
    .option('--seed <n>', 'the same seed and start give the same bytes', '1')
    .option('--speed <n>', 'how much faster event time passes than time; without it, as the users need')
    .option(
      '--start <time>',
      'event time of the first events (ISO 8601); without it the last ones are of now',
    )
    .option('--disordered <0..1>', 'share of the events that come up to 5 s late', '0')
    .option('--late <0..1>', 'share of records whose session is long over', '0')
    .option('--duplicated <0..1>', 'share of records that are there twice', '0')
    .option('--malformed <0..1>', 'share of records that are no JSON', '0')
    .option('--future <0..1>', 'share of records hours ahead of their time', '0')
    .option('--workers <n>', 'threads of the sender bulk; without it one per spare core')
    .option(
      '--metrics-file <file>',
      'of the sender client: its newest metrics, for headrace monitor --producers',
    )
    .option('--json', 'no progress; the statistics as one JSON object on stdout')
    .addHelpText('after', PRODUCE_EXAMPLES)
    .action(async (flags: ProduceFlags) => {
      const options = optionsOf(flags, brokersOf(flags, loadBrokers));
      const { produceCommand } = await loader();
      done(await produceCommand({ ...options, stdout, terminal: process.stderr }));
    });
}

function optionsOf(flags: ProduceFlags, access: BrokerAccess): Omit<ProduceOptions, 'stdout' | 'terminal'> {
  const model = oneOf('--model', flags.model ?? missing('--model'), ['clickstream', 'web_clicks']);
  const rate = flags.rate === 'max' ? null : number('--rate', flags.rate, 0.001, RATE_MAX);
  return {
    ...access,
    model,
    topic: flags.topic ?? TOPICS[model],
    sender: oneOf('--sender', flags.sender, ['client', 'bulk']),
    rate,
    records: recordsOf(flags, rate),
    users: flags.users === undefined ? null : whole('--users', flags.users, 1, USERS_MAX),
    sessions: oneOf('--sessions', flags.sessions, ['journeys', 'one-event']),
    eventsPerSessionMean: number('--session-events', flags.sessionEvents, 1, 100),
    seed: whole('--seed', flags.seed, 0, 2 ** 31 - 1),
    speed: flags.speed === undefined ? null : speedOf(flags.speed, rate),
    startMs: flags.start === undefined ? null : timeOf(flags.start),
    dirt: dirtOf(flags),
    workers: flags.workers === undefined ? null : whole('--workers', flags.workers, 1, 64),
    metricsFile: metricsFileOf(flags),
    json: flags.json === true,
  };
}

function metricsFileOf({ metricsFile, sender }: ProduceFlags): string | null {
  if (metricsFile === undefined || sender !== 'bulk') return metricsFile ?? null;
  throw new HeadraceError(
    'USAGE',
    '--metrics-file is of the sender client; bulk has no producer library below it',
  );
}

function recordsOf({ count, duration }: ProduceFlags, rate: number | null): number {
  if (count !== undefined && duration !== undefined) {
    throw new HeadraceError('USAGE', '--count or --duration, not both', { remedy: 'leave one of them out' });
  }
  if (count !== undefined) return whole('--count', count, 1, RECORDS_MAX);
  if (rate === null) {
    throw new HeadraceError('USAGE', 'with --rate max it needs --count: how many events');
  }
  const parsed = parseDurationMs(duration ?? '60s');
  if (!parsed.ok) throw new HeadraceError('USAGE', `--duration: ${parsed.message}`);
  return Math.max(1, Math.round((rate * parsed.value) / 1_000));
}

function speedOf(text: string, rate: number | null): number {
  if (rate !== null) return number('--speed', text, 0.001, 1e6);
  throw new HeadraceError(
    'USAGE',
    '--speed needs a --rate: with max event time passes as fast as events are made',
  );
}

function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(ms)) return ms;
  throw new HeadraceError('USAGE', `--start must be a time such as 2026-01-31T12:00:00Z, not ${text}`);
}

function dirtOf(flags: ProduceFlags): DirtShares {
  const shares = DIRT_KINDS.map((kind) => [kind, number(`--${kind}`, flags[kind], 0, 1)] as const);
  const dirt = Object.fromEntries(shares) as Record<(typeof DIRT_KINDS)[number], number>;
  const extra = EXTRA_KINDS.reduce((sum, kind) => sum + dirt[kind], 0);
  if (extra <= EXTRA_SHARE_MAX && dirt.disordered + extra <= 1) return dirt;
  throw new HeadraceError(
    'USAGE',
    `the shares of dirt are more than all records: ${extra} beside what is good (at most ${EXTRA_SHARE_MAX}), ${dirt.disordered} of it disordered`,
  );
}

function missing(flag: string): never {
  throw new HeadraceError('USAGE', `${flag} is needed`, { remedy: 'headrace produce --help shows how' });
}

function oneOf<T extends string>(flag: string, text: string, names: readonly T[]): T {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  const meant = suggest(text, names);
  throw new HeadraceError('USAGE', `${flag} must be ${names.join(' or ')}, not ${text}`, {
    ...(meant === undefined ? {} : { remedy: `did you mean ${meant}?` }),
  });
}

function whole(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new HeadraceError('USAGE', `${flag} must be a whole number from ${min} to ${max}, not ${text}`);
}

function number(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
  throw new HeadraceError('USAGE', `${flag} must be a number from ${min} to ${max}, not ${text}`);
}
