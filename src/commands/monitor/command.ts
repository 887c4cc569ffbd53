import type { Command } from 'commander';
import type { LoadBrokersOptions } from '../../config/load-brokers.js';
import type { BrokerAccess } from '../../config/types.js';
import { parseDurationMs } from '../../config/units.js';
import { HeadraceError } from '../../errors.js';
import { brokersOf } from './brokers-flag.js';
import { type Check, parseCheck } from './checks.js';
import { MONITOR_EXAMPLES } from './examples.js';
import type { MonitorOptions } from './monitor.js';

export type MonitorLoader = () => Promise<{ monitorCommand(options: MonitorOptions): Promise<number> }>;

export const ownMonitorLoader: MonitorLoader = () => import('./monitor.js');

export interface MonitorSurroundings {
  stdout(text: string): void;
  loadBrokers(options: LoadBrokersOptions): BrokerAccess;
  done(exitCode: number): void;
  loader: MonitorLoader;
}

interface MonitorFlags {
  config?: string;
  brokers?: string;
  metrics?: string;
  producers?: string;
  check: Check[];
  interval?: string;
  once?: boolean;
  json?: boolean;
}

/** A look for a script is short; one for people leaves time to read. */
const ONCE_INTERVAL = '1s';
const LIVE_INTERVAL = '2s';
const INTERVAL_MS_MIN = 100;

/** Adds `headrace monitor` to the command line. */
export function addMonitorCommand(
  cli: Command,
  { stdout, loadBrokers, done, loader }: MonitorSurroundings,
): void {
  cli
    .command('monitor')
    .description('brokers, topics and groups in one live view; checks with an exit code')
    .option(
      '--config <file>',
      'YAML file of an engine, of which only kafka.brokers and kafka.security are read',
    )
    .option('--brokers <host:port,…>', 'Kafka brokers to ask first')
    .option(
      '--metrics <port|id=host:port,…>',
      "the brokers' JMX agents: a port that all have, id=host:port, or addresses in the order of broker ids",
    )
    .option('--producers <file|folder,…>', 'metrics files of producers, and folders of them')
    .option('--check <figure=n>', 'must hold, or exit 1; may be repeated', collectChecks, [])
    .option('--interval <duration>', 'between two looks; 2s, or 1s with --once or --check')
    .option('--once', 'look once and end')
    .option('--json', 'JSON objects on stdout, one a line')
    .addHelpText('after', MONITOR_EXAMPLES)
    .action(async (flags: MonitorFlags) => {
      const once = flags.once === true || flags.check.length > 0;
      const options = {
        ...brokersOf(flags, loadBrokers),
        metrics: metricsOf(flags.metrics),
        producers: (flags.producers ?? '').split(',').filter((each) => each !== ''),
        checks: flags.check,
        intervalMs: intervalOf(flags.interval ?? (once ? ONCE_INTERVAL : LIVE_INTERVAL)),
        once,
        json: flags.json === true,
      };
      const { monitorCommand } = await loader();
      done(await monitorCommand({ ...options, stdout, terminal: process.stdout }));
    });
}

function collectChecks(text: string, before: Check[]): Check[] {
  return [...before, parseCheck(text)];
}

function metricsOf(text: string | undefined): string[] {
  const metrics = (text ?? '').split(',').filter((each) => each !== '');
  const wrong = metrics.find((each) => !/^(\d+=\S+:|[^\s=]+:)?\d{1,5}$/.test(each));
  if (wrong !== undefined) {
    throw new HeadraceError('USAGE', `--metrics must be a port, id=host:port or host:port, not ${wrong}`);
  }
  const named = metrics.filter((each) => each.includes('='));
  if (named.length === 0 || named.length === metrics.length) return metrics;
  throw new HeadraceError('USAGE', '--metrics: name the broker of every agent, or of none', {
    remedy: `such as --metrics 1=host:9404,2=host:9405`,
  });
}

function intervalOf(text: string): number {
  const parsed = parseDurationMs(text);
  if (!parsed.ok) throw new HeadraceError('USAGE', `--interval: ${parsed.message}`);
  return Math.max(INTERVAL_MS_MIN, parsed.value);
}
