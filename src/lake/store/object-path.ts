import { HeadraceError } from '../../errors.js';

/** Parts of a path that lead elsewhere. */
const OUTSIDE: ReadonlySet<string> = new Set(['', '.', '..']);

/** Paths come from the log and from configuration: none may lead out of the table. */
export function isObjectPath(path: string): boolean {
  return !path.split('/').some((part) => OUTSIDE.has(part) || part.includes('\0'));
}

export function notBelowTable(path: string, table: string): HeadraceError {
  return new HeadraceError('LAKE_IO', 'refused: not the path of an object below the table', {
    where: { path: JSON.stringify(path), table },
  });
}
