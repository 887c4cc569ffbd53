import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import type { EngineConfig } from '../../config/types.js';
import { parseDurationMs } from '../../config/units.js';
import { HeadraceError, messageOf } from '../../errors.js';
import { engineFlags, toLoad } from '../engine-flags.js';
import { FORGET_EXAMPLES } from './examples.js';
import type { ForgetOptions } from './forget.js';

export interface ForgetSurroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  load(options: { file?: string; flags: ConfigFlags }): EngineConfig;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loader(): Promise<{ forget(options: ForgetOptions): Promise<number> }>;
}

export const ownForgetLoader: ForgetSurroundings['loader'] = () => import('./forget.js');

interface ForgetFlags extends ConfigFlags {
  config?: string;
  key?: string;
  keyFile?: string;
  finish?: string;
  yes?: boolean;
  dryRun?: boolean;
  timeout: string;
}

/** Adds `headrace forget` to the command line. */
export function addForgetCommand(cli: Command, surroundings: ForgetSurroundings): void {
  const { stdout, stderr, load, done, loader } = surroundings;
  engineFlags(
    cli
      .command('forget')
      .description(
        'take one person out of the table, ClickHouse, snapshots and dead letters; shows it, unless --yes',
      ),
  )
    .option('--key <name=value>', "who: the model's key, or a column with a field's first value")
    .option('--key-file <file>', 'the same from a file, so that no list of processes shows it')
    .option('--finish <id>', 'go on with an earlier erasure, by the id it printed')
    .option('--yes', 'do it')
    .option('--dry-run', 'only show it, as without --yes')
    .option('--timeout <duration>', 'how long to wait for followers, and for new snapshots', '60s')
    .option('--json', 'print one JSON object')
    .addHelpText('after', FORGET_EXAMPLES)
    .action(async (flags: ForgetFlags) => {
      const { keyFile, finish, yes, dryRun, timeout: text, ...rest } = flags;
      const key = keyOf(flags);
      if (key === null && finish === undefined) {
        throw new HeadraceError('USAGE', 'who? neither --key nor --finish was given', {
          remedy: 'headrace forget --help shows how',
        });
      }
      const timeout = parseDurationMs(text);
      if (!timeout.ok) throw new HeadraceError('USAGE', `--timeout: ${timeout.message}`);
      delete rest.key;
      const config = load(toLoad(rest));
      const { forget } = await loader();
      done(
        await forget({
          config,
          key,
          finish: finish ?? null,
          yes: yes === true && dryRun !== true,
          timeoutMs: timeout.value,
          json: rest.json === true,
          stdout,
          stderr,
        }),
      );
    });
}

function keyOf({ key, keyFile }: ForgetFlags): string | null {
  if (keyFile === undefined) return key ?? null;
  if (key !== undefined) throw new HeadraceError('USAGE', '--key and --key-file say the same: give one');
  try {
    return readFileSync(keyFile, 'utf8').split(/\r?\n/)[0]!;
  } catch (error) {
    throw new HeadraceError('USAGE', `--key-file can't be read: ${messageOf(error)}`, {
      where: { path: keyFile },
    });
  }
}
