import { HeadraceError } from '../../errors.js';

/** Marks between which the value counts as a word of a message. */
const BETWEEN = '[^A-Za-z0-9_-]';

/** The same failure without the person's value, which a server may have repeated in its words. Its cause goes too. */
export function withoutValue(error: unknown, key: string | null): unknown {
  const value = key === null ? '' : key.slice(key.indexOf('=') + 1);
  if (!(error instanceof HeadraceError) || value === '') return error;
  const pattern = new RegExp(`(?<=^|${BETWEEN})${escaped(value)}(?=${BETWEEN}|$)`, 'g');
  const clean = (text: string) => text.replaceAll(pattern, '***');
  const where = Object.fromEntries(
    Object.entries(error.where).map(([name, each]) => [name, typeof each === 'string' ? clean(each) : each]),
  );
  return new HeadraceError(error.code, clean(error.message), {
    where,
    ...(error.remedy === undefined ? {} : { remedy: clean(error.remedy) }),
  });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
