import type { Command } from 'commander';
import { HeadraceError } from '../../errors.js';
import { SYSTEMD_EXAMPLES } from './examples.js';
import type { SystemdInstallOptions } from './install.js';

export type SystemdLoader = () => Promise<{ systemdInstall(options: SystemdInstallOptions): number }>;

export const ownSystemdLoader: SystemdLoader = () => import('./install.js');

export interface SystemdSurroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  done(exitCode: number): void;
  loader: SystemdLoader;
}

interface InstallFlags {
  instance?: string;
  config?: string;
  prefix: string;
  dryRun?: boolean;
  json?: boolean;
}

/** Adds `headrace systemd` to the command line. */
export function addSystemdCommand(cli: Command, { stdout, stderr, done, loader }: SystemdSurroundings): void {
  const systemd = cli
    .command('systemd')
    .description('an engine as a service of this machine')
    .addHelpText('after', SYSTEMD_EXAMPLES);
  systemd
    .command('install')
    .description('write the unit and what in it is this machine’s; says what to call next')
    .option('--instance <name>', 'one of several engines here: headrace@name', instanceOf)
    .option('--config <file>', 'its settings; default is /etc/headrace/<instance, or engine>.yaml')
    .option('--prefix <folder>', 'write below this folder, as for an image', '/')
    .option('--dry-run', 'print the files, write none')
    .option('--json', 'files, what is to be looked at and what to call next as one JSON object on stdout')
    .addHelpText('after', SYSTEMD_EXAMPLES)
    .action(async ({ instance, config, prefix, dryRun, json }: InstallFlags) => {
      const { systemdInstall } = await loader();
      done(
        systemdInstall({
          instance: instance ?? null,
          config: config ?? null,
          prefix,
          dryRun: dryRun === true,
          json: json === true,
          userId: process.getuid?.() ?? null,
          node: process.execPath,
          stdout,
          stderr,
        }),
      );
    });
}

/** What needs no escaping in the name of a unit, a folder and a variable. */
function instanceOf(text: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(text)) return text;
  throw new HeadraceError(
    'USAGE',
    `--instance takes letters, digits, dots, dashes and _, not ${JSON.stringify(text)}`,
  );
}
