import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import { lakeAt } from '../../config/lake-place.js';
import { suggest } from '../../config/suggest.js';
import type { EngineConfig, LakeConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { type EngineFlags, engineFlags, toLoad } from '../engine-flags.js';
import { collect, wholeNumber } from '../lake/lake-flags.js';
import type { TapEventsOptions } from './events.js';
import { DEAD_LETTERS_EXAMPLES, EVENTS_EXAMPLES, SESSIONS_EXAMPLES, TAP_EXAMPLES } from './examples.js';
import type { TapLettersOptions } from './letters.js';
import type { TapSessionsOptions } from './sessions.js';
import { parsePercent } from './share.js';
import type { TapOptions } from './tap-options.js';

export interface TapLoaders {
  events(): Promise<{ tapEvents(options: TapEventsOptions): Promise<number> }>;
  sessions(): Promise<{ tapSessions(options: TapSessionsOptions): Promise<number> }>;
  letters(): Promise<{ tapLetters(options: TapLettersOptions): Promise<number> }>;
}

export const ownTapLoaders: TapLoaders = {
  events: () => import('./events.js'),
  sessions: () => import('./sessions.js'),
  letters: () => import('./letters.js'),
};

export interface TapSurroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  load(options: { file?: string; flags: ConfigFlags }): EngineConfig;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: TapLoaders;
}

/** What a person can read. */
const RATE = 20;

/** Adds `headrace tap …` to the command line. */
export function addTapCommand(cli: Command, surroundings: TapSurroundings): void {
  const tap = cli
    .command('tap')
    .description('a live sample of events, sessions or dead letters, with filters')
    .addHelpText('after', TAP_EXAMPLES);
  const { load, done, loaders } = surroundings;
  shareFlags(
    engineFlags(tap.command('events').description('of the source topic, with what the model says of each')),
  )
    .addHelpText('after', EVENTS_EXAMPLES)
    .action(async (flags: TapFlags) => {
      const { tap: asked, engine } = apart(flags, surroundings);
      const config = load(toLoad(engine));
      const { tapEvents } = await loaders.events();
      done(await tapEvents({ ...asked, config }));
    });
  shareFlags(
    tap
      .command('sessions')
      .description('rows as they are committed to the table')
      .option('--config <file>', "the engine's YAML file, for its table")
      .option('--lake <folder|s3://…>', 'the sessions table, or what holds it')
      .option('--columns <name,…>', 'only these, in this order'),
  )
    .addHelpText('after', SESSIONS_EXAMPLES)
    .action(async ({ columns, ...flags }: TapFlags & { columns?: string }) => {
      const { tap: asked, engine } = apart(flags, surroundings);
      const lake = lakeOf(engine, load);
      const { tapSessions } = await loaders.sessions();
      done(await tapSessions({ ...asked, lake, columns: columns ?? null }));
    });
  shareFlags(
    engineFlags(
      tap.command('dead-letters').description('events that could not be counted, as they are committed'),
    ),
  )
    .addHelpText('after', DEAD_LETTERS_EXAMPLES)
    .action(async (flags: TapFlags) => {
      const { tap: asked, engine } = apart(flags, surroundings);
      const config = load(toLoad(engine));
      const { tapLetters } = await loaders.letters();
      done(await tapLetters({ ...asked, config }));
    });
}

interface TapFlags extends EngineFlags {
  filter: string[];
  limit?: number;
  sample?: number;
  rate?: number | 'off';
  from: 'earliest' | 'latest';
}

function shareFlags(command: Command): Command {
  return command
    .option('--filter <field=value>', 'also field!=value; may be repeated, and all have to hold', collect, [])
    .option('--limit <n>', 'end after so many', limitOf)
    .option('--sample <n%>', 'only about this part of them, by chance', parsePercent)
    .option(
      '--rate <n|off>',
      `at most so many a second, others are counted; ${RATE}, or off with --json, --limit or --sample`,
      rateOf,
    )
    .option('--from <latest|earliest>', 'where to begin', fromOf, 'latest')
    .option('--json', 'JSON objects on stdout, one a line');
}

/** What the tap is told, and what is left for the configuration. */
function apart(
  { filter, limit, sample, rate, from, ...engine }: TapFlags,
  { stdout, stderr }: TapSurroundings,
): { tap: TapOptions; engine: EngineFlags } {
  const json = engine.json === true;
  const isBounded = json || limit !== undefined || sample !== undefined;
  const wished = rate ?? (isBounded ? 'off' : RATE);
  const share = {
    limit: limit ?? null,
    percent: sample ?? null,
    perSecond: wished === 'off' ? null : wished,
  };
  return { tap: { ...share, filters: filter, from, json, stdout, stderr }, engine };
}

function lakeOf({ config, lake }: EngineFlags, load: TapSurroundings['load']): LakeConfig {
  if (lake !== undefined) return lakeAt(lake);
  if (config !== undefined) return load(toLoad({ config })).lake;
  throw new HeadraceError('USAGE', 'which table? neither --lake nor --config was given', {
    remedy: 'headrace tap sessions --help shows how',
  });
}

function limitOf(text: string): number {
  const limit = wholeNumber('--limit')(text);
  if (limit > 0) return limit;
  throw new HeadraceError('USAGE', '--limit must be at least 1');
}

function rateOf(text: string): number | 'off' {
  if (text === 'off') return 'off';
  if (/^\d{1,7}$/.test(text) && Number(text) > 0) return Number(text);
  throw new HeadraceError(
    'USAGE',
    `--rate must be a whole number of lines a second, or off, not ${JSON.stringify(text)}`,
  );
}

const PLACES = ['latest', 'earliest'] as const;

function fromOf(text: string): (typeof PLACES)[number] {
  const place = PLACES.find((each) => each === text);
  if (place !== undefined) return place;
  const near = suggest(text, PLACES);
  throw new HeadraceError('USAGE', `--from must be latest or earliest, not ${JSON.stringify(text)}`, {
    ...(near === undefined ? {} : { remedy: `did you mean ${near}?` }),
  });
}
