import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import { lakeAt } from '../../config/lake-place.js';
import type { EngineConfig, LakeConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { type EngineFlags, engineFlags, toLoad } from '../engine-flags.js';
import { LIST_EXAMPLES, REPLAY_EXAMPLES, SHOW_EXAMPLES } from './examples.js';
import type { FilterFlags } from './filter.js';
import type { DlqListOptions } from './list.js';
import type { DlqReplayOptions } from './replay.js';
import type { DlqShowOptions } from './show.js';

export interface DlqLoaders {
  list(): Promise<{ dlqList(options: DlqListOptions): Promise<number> }>;
  show(): Promise<{ dlqShow(options: DlqShowOptions): Promise<number> }>;
  replay(): Promise<{ dlqReplay(options: DlqReplayOptions): Promise<number> }>;
}

export const ownDlqLoaders: DlqLoaders = {
  list: () => import('./list.js'),
  show: () => import('./show.js'),
  replay: () => import('./replay.js'),
};

export interface DlqSurroundings {
  stdout(text: string): void;
  load(options: { file?: string; flags: ConfigFlags }): EngineConfig;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: DlqLoaders;
}

const NEWEST = 20;

/** Adds `headrace dlq …` to the command line. */
export function addDlqCommand(cli: Command, surroundings: DlqSurroundings): void {
  const dlq = cli
    .command('dlq')
    .description('the dead letters of a sessions table: count them, look at one, send them again');
  addList(dlq, surroundings);
  addShow(dlq, surroundings);
  addReplay(dlq, surroundings);
}

type TableFlags = EngineFlags & FilterFlags;

function addList(dlq: Command, { stdout, load, done, loaders }: DlqSurroundings): void {
  filterFlags(
    tableFlags(dlq.command('list').description('how many, by reason and partition, and the newest ones')),
  )
    .option('--newest <n>', 'how many of the newest to show', wholeNumber, NEWEST)
    .option('--json', 'print one JSON object')
    .addHelpText('after', LIST_EXAMPLES)
    .action(async ({ newest, ...flags }: TableFlags & { newest: number }) => {
      const { filter, lake } = tableOf(flags, load);
      const { dlqList } = await loaders.list();
      done(await dlqList({ ...filter, lake, newest, json: flags.json === true, stdout }));
    });
}

function addShow(dlq: Command, { stdout, load, done, loaders }: DlqSurroundings): void {
  tableFlags(
    dlq.command('show').description('one dead letter whole').argument('<letter>', 'partition:offset'),
  )
    .option('--json', 'print one JSON object')
    .addHelpText('after', SHOW_EXAMPLES)
    .action(async (letter: string, flags: TableFlags) => {
      const { lake, model } = tableOf(flags, load);
      const { dlqShow } = await loaders.show();
      done(await dlqShow({ lake, model, letter, json: flags.json === true, stdout }));
    });
}

function addReplay(dlq: Command, { stdout, load, done, loaders }: DlqSurroundings): void {
  filterFlags(
    engineFlags(
      dlq
        .command('replay')
        .description('send dead letters again, to the end of their partitions; shows it, unless --yes'),
    ),
  )
    .option('--refused-too', 'also those that the model would refuse again')
    .option('--yes', 'do it')
    .option('--json', 'print one JSON object')
    .addHelpText('after', REPLAY_EXAMPLES)
    .action(async ({ refusedToo, yes, ...flags }: TableFlags & { refusedToo?: boolean; yes?: boolean }) => {
      const { filter, rest } = apart(flags);
      const config = load(toLoad(rest));
      const { dlqReplay } = await loaders.replay();
      const how = { yes: yes === true, refusedToo: refusedToo === true, json: flags.json === true };
      done(await dlqReplay({ config, ...filter, ...how, stdout }));
    });
}

/** Which table: for what asks nobody else. */
function tableFlags(command: Command): Command {
  return command
    .option('--config <file>', "the engine's YAML file, for its table")
    .option('--lake <folder|s3://…>', 'the sessions table, or what holds it');
}

function filterFlags(command: Command): Command {
  return command
    .option('--reason <name,…>', 'only of these reasons')
    .option('--partition <n,…>', 'only of these partitions')
    .option('--from <offset|time>', 'only from here on; a time is the record’s Kafka timestamp')
    .option('--to <offset|time>', 'only up to here, this one included');
}

function apart({ reason, partition, from, to, ...rest }: TableFlags): {
  filter: FilterFlags;
  rest: EngineFlags;
} {
  const typed = { reason, partition, from, to };
  const filter = Object.fromEntries(Object.entries(typed).filter(([, text]) => text !== undefined));
  return { filter, rest };
}

function tableOf(
  flags: TableFlags,
  load: DlqSurroundings['load'],
): { filter: FilterFlags; lake: LakeConfig; model: string | null } {
  const { filter, rest } = apart(flags);
  if (rest.config !== undefined) {
    const { lake, model } = load(toLoad(rest));
    return { filter, lake, model };
  }
  if (rest.lake !== undefined) return { filter, lake: lakeAt(rest.lake), model: null };
  throw new HeadraceError('USAGE', 'which table? neither --lake nor --config was given', {
    remedy: 'headrace dlq list --help shows how',
  });
}

function wholeNumber(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new HeadraceError('USAGE', `--newest must be a whole number up to 99999, not ${text}`);
}
