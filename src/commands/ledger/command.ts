import type { Command } from 'commander';
import type { LedgerStatusOptions } from './status.js';

export interface LedgerLoaders {
  status(): Promise<{ ledgerStatus(options: LedgerStatusOptions): Promise<number> }>;
}

const ownLoaders: LedgerLoaders = { status: () => import('./status.js') };

/** Adds `headrace ledger …` to the command line; `done` takes the exit code. */
export function addLedgerCommand(
  cli: Command,
  surroundings: { stdout(text: string): void; done(exitCode: number): void },
  loaders: LedgerLoaders = ownLoaders,
): void {
  const ledger = cli.command('ledger').description('look at what was done: the ledger of a sessions table');
  ledger
    .command('status')
    .description('what is committed per partition, and which snapshots there are')
    .requiredOption('--lake <folder>', 'the sessions table, or the folder that holds it')
    .option('--json', 'print one JSON object')
    .addHelpText('after', STATUS_EXAMPLES)
    .action(async (flags: { lake: string; json?: boolean }) => {
      const { ledgerStatus } = await loaders.status();
      const { stdout } = surroundings;
      surroundings.done(await ledgerStatus({ lake: flags.lake, json: flags.json === true, stdout }));
    });
}

const STATUS_EXAMPLES = `
Examples:
  headrace ledger status --lake ./lake
      Asks the table alone: no broker is needed, and an engine may be running.

  headrace ledger status --lake ./lake --json
      The same for a script; offsets are texts.
`;
