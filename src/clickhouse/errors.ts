import type { ClickHouseError } from '@clickhouse/client';
import { HeadraceError, messageOf, type Where } from '../errors.js';
import { clientPackage } from './client-package.js';
import { networkTrouble } from './network-errors.js';
import { HELD, troubleOf } from './server-errors.js';

/**
 * What ClickHouse, or the way to it, answered → one line that says what is wrong and what to do, and whether the rows may be
 * in all the same.
 *
 * An insert is not atomic over a table and its views: ClickHouse may have stored the table's part when a view, a disk or the
 * memory limit refuses the rest. So "nothing was done" is believed only of refusals that come before anything is written; all
 * else is unknown, and is repeated with the same token.
 */

/** What one kind of failure means. */
export interface Trouble {
  code: 'CLICKHOUSE_UNREACHABLE' | 'CLICKHOUSE_AUTH' | 'CLICKHOUSE_REFUSED';
  /** What happened, without the end of the sentence. */
  what: string;
  /** What the operator can do. */
  remedy: string;
  /** Was certainly nothing written? */
  nothingDone: boolean;
}

/** ClickHouse's own words are shown up to this length. */
const WORDS_LENGTH_MAX = 400;

/**
 * `where`: url, database, table, path of the file, whatever is known; it names things in the advice too. Passwords never come
 * in here: they are in no message of ClickHouse, and not in `where`.
 */
export function asClickHouseError(error: unknown, where: Where = {}): HeadraceError {
  if (error instanceof HeadraceError) return error;
  const { code, what, remedy } = explain(error, where);
  const number = isServersError(error) ? { error: `${error.code} ${error.type ?? ''}`.trim() } : {};
  return new HeadraceError(code, what, { where: { ...where, ...number }, remedy, cause: error });
}

/** May what was sent have been done, wholly or in part? Of errors of the client, and of those made of them by the above. */
export function isUnknownOutcome(error: unknown): boolean {
  const raw = error instanceof HeadraceError ? error.cause : error;
  // an error of our own without a cause came before anything was sent
  if (raw === undefined) return false;
  return !explain(raw, {}).nothingDone;
}

/** The table takes no rows for a while. */
export function heldError({ url, database, table }: Where): HeadraceError {
  const { what, remedy } = HELD;
  return new HeadraceError('CLICKHOUSE_UNREACHABLE', what, { where: { url, database, table }, remedy });
}

/** Then it is no host that is missing. */
export function isHeldError({ message }: HeadraceError): boolean {
  return message === HELD.what;
}

function explain(error: unknown, where: Where): Trouble {
  if (isServersError(error)) return troubleOf(Number(error.code), wordsOf(error), where);
  return networkTrouble(error, wordsOf(error), where);
}

/** What ClickHouse itself answered. */
function isServersError(error: unknown): error is ClickHouseError {
  return error instanceof clientPackage().ClickHouseError;
}

/** On one line, without the parts that say nothing, and not longer than a line may be. */
function wordsOf(error: unknown): string {
  const words = messageOf(error)
    .replace(/\s+/g, ' ')
    .replace(/^(Code: \d+\. DB::Exception: )+/, '')
    .replace(/ ?\(version [^)]*\)/g, '')
    .trim();
  return words.length > WORDS_LENGTH_MAX ? `${words.slice(0, WORDS_LENGTH_MAX)}…` : words;
}
