import { HeadraceError, messageOf } from '../errors.js';

const EXIT_INTERNAL = 70;

/**
 * The one line (one more for each further problem of a configuration) that a failed command leaves on stderr, with a
 * stack only where asked for. Gives the exit code.
 */
export function reportFailure(
  error: unknown,
  { stacks, stderr }: { stacks: boolean; stderr: (text: string) => void },
): number {
  if (error instanceof HeadraceError) {
    // our own fault: what lies behind it is all that a report of it can go by
    const behind = error.domain === 'internal' && error.cause !== undefined ? error.cause : null;
    stderr(`${error.toString()}${behind === null ? '' : `: ${messageOf(behind)}`}\n`);
  } else {
    const hint = stacks ? '' : ' — this is a fault of headrace; --log-level debug shows where';
    stderr(`INTERNAL: ${messageOf(error)}${hint}\n`);
  }
  if (stacks) for (const stack of stacksOf(error)) stderr(`${stack}\n`);
  return error instanceof HeadraceError ? error.exitCode : EXIT_INTERNAL;
}

/** Stacks of an error and of what caused it. */
function stacksOf(error: unknown): string[] {
  const stacks: string[] = [];
  for (let each = error; each instanceof Error && stacks.length < 5; each = each.cause) {
    if (each.stack !== undefined) stacks.push(each.stack);
  }
  return stacks;
}

/** Does a command line ask for stacks? What counts until its configuration has been read. */
export function wantsStacks(args: readonly string[]): boolean {
  const level = args.findLast(
    (arg, index) => args[index - 1] === '--log-level' || arg.startsWith('--log-level='),
  );
  return /^(--log-level=)?(debug|trace)$/.test(level ?? '');
}
