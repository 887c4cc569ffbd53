import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import { lakeAt } from '../../config/lake-place.js';
import type { EngineConfig, LakeConfig } from '../../config/types.js';
import { parseDurationMs } from '../../config/units.js';
import { HeadraceError } from '../../errors.js';
import { type EngineFlags, engineFlags, toLoad } from '../engine-flags.js';
import { RESET_EXAMPLES, SNAPSHOT_EXAMPLES, STATUS_EXAMPLES, VERIFY_EXAMPLES } from './examples.js';
import type { LedgerResetOptions } from './reset.js';
import type { LedgerSnapshotOptions } from './snapshot.js';
import type { LedgerStatusOptions } from './status.js';
import type { LedgerVerifyOptions } from './verify.js';

export interface LedgerLoaders {
  status(): Promise<{ ledgerStatus(options: LedgerStatusOptions): Promise<number> }>;
  verify(): Promise<{ ledgerVerify(options: LedgerVerifyOptions): Promise<number> }>;
  snapshot(): Promise<{ ledgerSnapshot(options: LedgerSnapshotOptions): Promise<number> }>;
  reset(): Promise<{ ledgerReset(options: LedgerResetOptions): Promise<number> }>;
}

export const ownLedgerLoaders: LedgerLoaders = {
  status: () => import('./status.js'),
  verify: () => import('./verify.js'),
  snapshot: () => import('./snapshot.js'),
  reset: () => import('./reset.js'),
};

export interface LedgerSurroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  load(options: { file?: string; flags: ConfigFlags }): EngineConfig;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: LedgerLoaders;
}

/** Adds `headrace ledger …` to the command line. */
export function addLedgerCommand(cli: Command, surroundings: LedgerSurroundings): void {
  const ledger = cli
    .command('ledger')
    .description('the ledger of a sessions table: look at it, prove it, move partitions');
  addStatus(ledger, surroundings);
  addVerify(ledger, surroundings);
  addSnapshot(ledger, surroundings);
  addReset(ledger, surroundings);
}

function addStatus(ledger: Command, { stdout, load, done, loaders }: LedgerSurroundings): void {
  engineFlags(
    ledger
      .command('status')
      .description('what is committed per partition, its snapshots, and how far followers are'),
    '; with it, or with --brokers, the followers are asked',
  )
    .option('--json', 'print one JSON object')
    .addHelpText('after', STATUS_EXAMPLES)
    .action(async (flags: EngineFlags) => {
      const asks = flags.config !== undefined || flags.brokers !== undefined;
      const config = asks ? load(toLoad(flags)) : null;
      const { ledgerStatus } = await loaders.status();
      const lake = config?.lake ?? lakeOf(flags);
      done(await ledgerStatus({ lake, config, json: flags.json === true, stdout }));
    });
}

function addVerify(ledger: Command, { stdout, stderr, load, done, loaders }: LedgerSurroundings): void {
  engineFlags(
    ledger
      .command('verify')
      .description('make sessions again from Kafka by the plain reference, and compare the table with them'),
  )
    .option('--partition <n,…|all>', 'which partitions', 'all')
    .option('--from <offset|time>', 'compare from the snapshot before it on; without it as early as can be')
    .option('--to <offset|time>', 'compare up to the cut behind it; without it all that is committed')
    .option('--json', 'print one JSON object')
    .addHelpText('after', VERIFY_EXAMPLES)
    .action(async (flags: EngineFlags & { partition: string; from?: string; to?: string }) => {
      const { partition, from, to, ...rest } = flags;
      const config = load(toLoad(rest));
      const { ledgerVerify } = await loaders.verify();
      const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
      done(await ledgerVerify({ config, partition, ...range, json: rest.json === true, stdout, stderr }));
    });
}

function addSnapshot(ledger: Command, { stdout, done, loaders }: LedgerSurroundings): void {
  ledger
    .command('snapshot')
    .description('have the running engines take a snapshot of every partition now, and wait for it')
    .requiredOption('--lake <folder|s3://…>', 'the sessions table, or what holds it')
    .option('--timeout <duration>', 'how long to wait for them', '60s')
    .option('--json', 'print one JSON object')
    .addHelpText('after', SNAPSHOT_EXAMPLES)
    .action(async (flags: { lake: string; timeout: string; json?: boolean }) => {
      const timeout = parseDurationMs(flags.timeout);
      if (!timeout.ok) throw new HeadraceError('USAGE', `--timeout: ${timeout.message}`);
      const { ledgerSnapshot } = await loaders.snapshot();
      const lake = lakeAt(flags.lake);
      done(await ledgerSnapshot({ lake, timeoutMs: timeout.value, json: flags.json === true, stdout }));
    });
}

function addReset(ledger: Command, { stdout, load, done, loaders }: LedgerSurroundings): void {
  engineFlags(
    ledger
      .command('reset')
      .description('have partitions start over at another offset; shows it, unless --yes'),
  )
    .requiredOption('--partition <n|all>', 'which partition')
    .requiredOption('--to <where>', 'an offset, earliest, latest, or a time (ISO 8601)')
    .option('--yes', 'do it')
    .option('--json', 'print one JSON object')
    .addHelpText('after', RESET_EXAMPLES)
    .action(async (flags: EngineFlags & { partition: string; to: string; yes?: boolean }) => {
      const { partition, to, yes, ...rest } = flags;
      const config = load(toLoad(rest));
      const { ledgerReset } = await loaders.reset();
      done(await ledgerReset({ config, partition, to, yes: yes === true, json: rest.json === true, stdout }));
    });
}

function lakeOf({ lake }: EngineFlags): LakeConfig {
  if (lake !== undefined) return lakeAt(lake);
  throw new HeadraceError('USAGE', 'which table? neither --lake nor --config was given', {
    remedy: 'headrace ledger status --help shows how',
  });
}
