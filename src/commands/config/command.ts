import type { Command } from 'commander';
import type { LoadOptions } from '../../config/load.js';
import type { EngineConfig } from '../../config/types.js';
import { type EngineFlags, runFlags, toLoad } from '../engine-flags.js';
import { CONFIG_EXAMPLES } from './examples.js';
import type { ConfigPrintOptions } from './print.js';

export type ConfigLoader = () => Promise<{ configPrint(options: ConfigPrintOptions): Promise<number> }>;

export const ownConfigLoader: ConfigLoader = () => import('./print.js');

export interface ConfigSurroundings {
  stdout(text: string): void;
  load(options: LoadOptions): EngineConfig;
  done(exitCode: number): void;
  loader: ConfigLoader;
}

/** Adds `headrace config` to the command line. */
export function addConfigCommand(cli: Command, { stdout, load, done, loader }: ConfigSurroundings): void {
  const config = cli
    .command('config')
    .description('what the settings come to, and the form they have')
    .addHelpText('after', CONFIG_EXAMPLES);
  runFlags(config.command('print').description('every setting, its value and where it comes from'))
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', CONFIG_EXAMPLES)
    .action(async ({ json, ...flags }: EngineFlags) => {
      const asked = toLoad(flags);
      const { configPrint } = await loader();
      done(await configPrint({ config: load(asked), asked, json: json === true, stdout }));
    });
  config
    .command('schema')
    .description('print the form of a configuration as JSON schema, for editors')
    .option('--json', 'as always: it is JSON')
    .action(async () => {
      const { configJsonSchema } = await import('../../config/json-schema.js');
      stdout(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    });
}
