import type { Command } from 'commander';
import type { LoadOptions } from '../../config/load.js';
import type { EngineConfig } from '../../config/types.js';
import { clickHouseFlags, type EngineFlags, engineFlags, toLoad } from '../engine-flags.js';
import { SERVICE_EXAMPLES } from '../examples.js';
import type { CheckOptions } from './check.js';

export type CheckLoader = () => Promise<{ checkCommand(options: CheckOptions): Promise<number> }>;

export const ownCheckLoader: CheckLoader = () => import('./check.js');

export interface CheckSurroundings {
  stdout(text: string): void;
  load(options: LoadOptions): EngineConfig;
  done(exitCode: number): void;
  loader: CheckLoader;
}

/** Adds `headrace check` to the command line. */
export function addCheckCommand(cli: Command, { stdout, load, done, loader }: CheckSurroundings): void {
  clickHouseFlags(
    engineFlags(
      cli.command('check').description('does an engine find all that it needs? Each with the remedy'),
    ),
  )
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', SERVICE_EXAMPLES)
    .action(async ({ json, ...flags }: EngineFlags) => {
      const config = load(toLoad(flags));
      const { checkCommand } = await loader();
      done(await checkCommand({ config, json: json === true, stdout }));
    });
}
