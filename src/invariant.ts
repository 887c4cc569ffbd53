import { HeadraceError, type Where } from './errors.js';

/**
 * A broken invariant of our own ends the process: the ledger makes a restart cheap, and going on could write a wrong
 * row. Never use it for bytes from outside.
 */
export function invariant(condition: unknown, message: string, where: Where = {}): asserts condition {
  if (!condition) throw new HeadraceError('INVARIANT', message, { where });
}
