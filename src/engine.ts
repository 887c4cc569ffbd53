#!/usr/bin/env node
/** The entry: parses the command line, picks a command, ends with its exit code. */
import { systemClock } from './clock.js';
import { main } from './commands/cli.js';
import { endProcess } from './commands/end-process.js';
import { reportFailure, wantsStacks } from './commands/failure.js';
import { callsBack } from './kafka/held-threads.js';

const args = process.argv.slice(2);
/** A call that is merely slow comes back in that time. */
const CALLS_BACK_MS = 15_000;

/** An error that nobody caught leaves the state unknown: the ledger makes a restart cheap, so end at once. */
function die(error: unknown): never {
  const stderr = (text: string) => process.stderr.write(text);
  endProcess(reportFailure(error, { stacks: wantsStacks(args), stderr }));
}
process.on('uncaughtException', die);
process.on('unhandledRejection', die);

// a reader that has seen enough, as in `headrace --help | head`, is no error
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') die(error);
  });
}

const exitCode = await main(args);
// native threads would keep the process alive; what was written to a pipe must be out before the exit
await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
await callsBack(systemClock, CALLS_BACK_MS);
endProcess(exitCode);
