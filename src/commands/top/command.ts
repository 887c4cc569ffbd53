import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import { HTTP_PORT } from '../../config/http.js';
import type { EngineConfig } from '../../config/types.js';
import { parseDurationMs } from '../../config/units.js';
import { HeadraceError } from '../../errors.js';
import { toLoad } from '../engine-flags.js';
import { TOP_EXAMPLES } from './examples.js';
import { laneColumn } from './lane-order.js';
import type { TopOptions } from './top.js';

export type TopLoader = () => Promise<{ topCommand(options: TopOptions): Promise<number> }>;

export const ownTopLoader: TopLoader = () => import('./top.js');

export interface TopSurroundings {
  stdout(text: string): void;
  load(options: { file?: string; flags: ConfigFlags }): EngineConfig;
  done(exitCode: number): void;
  loader: TopLoader;
}

interface TopFlags {
  config?: string;
  url?: string;
  tokenFile?: string;
  sort: string;
  interval?: string;
  once?: boolean;
  json?: boolean;
}

/** A look for a script is short; one for people leaves time to read. */
const ONCE_INTERVAL = '1s';
const LIVE_INTERVAL = '2s';
/** Within a quarter of a second an engine gives the same answer. */
const INTERVAL_MS_MIN = 500;

/** Adds `headrace top` to the command line. */
export function addTopCommand(cli: Command, { stdout, load, done, loader }: TopSurroundings): void {
  cli
    .command('top')
    .description('running engines in one live view: rates, lag, sessions, followers, lanes, memory')
    .option('--config <file>', 'YAML file of an engine, for where it listens and its token')
    .option('--url <url,…>', `where engines listen; http://127.0.0.1:${HTTP_PORT} without --config`)
    .option('--token-file <file>', 'a file with what the engines ask for (http.token_file)')
    .option('--sort <column>', 'of the table of lanes', 'lag')
    .option('--interval <duration>', 'between two looks; 2s, or 1s with --once or --json')
    .option('--once', 'look once and end')
    .option('--json', 'one JSON object on stdout, and end')
    .addHelpText('after', TOP_EXAMPLES)
    .action(async ({ config, url, tokenFile, sort, interval, ...flags }: TopFlags) => {
      const once = flags.once === true || flags.json === true;
      const http = config === undefined ? undefined : load(toLoad({ config })).http;
      const options = {
        urls: url === undefined ? [urlOf(http)] : url.split(',').map(cleanUrl),
        tokenFile: tokenFileOf(tokenFile, http),
        sort: laneColumn(sort),
        intervalMs: intervalOf(interval ?? (once ? ONCE_INTERVAL : LIVE_INTERVAL)),
        once,
        json: flags.json === true,
      };
      const { topCommand } = await loader();
      done(await topCommand({ ...options, stdout, terminal: process.stdout }));
    });
}

function tokenFileOf(
  flag: string | undefined,
  http: EngineConfig['http'] | undefined,
): TopOptions['tokenFile'] {
  if (flag !== undefined) return { path: flag, setBy: '--token-file' };
  const path = http?.tokenFile ?? null;
  return path === null ? null : { path, setBy: 'http.token_file' };
}

/** Undefined: no file was named. An engine that listens on all addresses is asked on this machine's own. */
function urlOf(http: EngineConfig['http'] | undefined): string {
  if (http === undefined) return `http://127.0.0.1:${HTTP_PORT}`;
  if (http === null) {
    throw new HeadraceError('CONFIG_INVALID', 'the engine of this file listens nowhere', {
      where: { path: 'http.listen' },
      remedy: 'set it to auto or host:port and start the engine anew, or name another engine with --url',
    });
  }
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[http.host] ?? http.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${http.port ?? HTTP_PORT}`;
}

/** Throws HeadraceError USAGE. */
function cleanUrl(text: string): string {
  const named = /^https?:\/\//i.test(text.trim()) ? text.trim() : `http://${text.trim()}`;
  const url = URL.canParse(named) ? new URL(named) : null;
  if (named.includes('@')) {
    throw new HeadraceError('USAGE', '--url holds a user or a password, which others could read', {
      remedy: 'put the token into a file and name it with --token-file',
    });
  }
  if (url === null || url.search !== '' || url.hash !== '') {
    throw new HeadraceError(
      'USAGE',
      `--url must be like http://host:${HTTP_PORT}, not ${JSON.stringify(text)}`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function intervalOf(text: string): number {
  const parsed = parseDurationMs(text);
  if (!parsed.ok) throw new HeadraceError('USAGE', `--interval: ${parsed.message}`);
  return Math.max(INTERVAL_MS_MIN, parsed.value);
}
