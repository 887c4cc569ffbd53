import { HeadraceError, messageOf } from '../../errors.js';
import { type Random, systemRandom } from '../../random.js';
import { isDiskFull } from './local-errors.js';
import { isPassingFailure } from './s3-errors.js';
import type { ObjectStore } from './store.js';

/** So many write one name at the same time; a store that looks first and writes then lets several through. */
const RACERS = 4;

/**
 * Tries on small objects what the ledger lives on: a write lands whole, of several under one name exactly one is taken, a later
 * one is refused, and what is read is what was written. LAKE_UNWRITABLE says which of these does not hold. A full disk, or a
 * store that is away, is LAKE_IO: there is nothing to change in the configuration, and later it may work.
 */
export async function probeWritable(store: ObjectStore, random: Random = systemRandom): Promise<void> {
  const paths = [0, 1].map(() => `_headrace/probe-${random.id63().toString(36)}`);
  try {
    await oneAfterTheOther(store, paths[0]!);
    await atTheSameTime(store, paths[1]!);
    for (const path of paths) await store.delete(path);
  } catch (error) {
    for (const path of paths) await store.delete(path).catch(() => undefined);
    throw startFailure(store.url, error);
  }
}

async function oneAfterTheOther(store: ObjectStore, path: string): Promise<void> {
  const bytes = bytesOf('headrace was here');
  const first = await store.putIfAbsent(path, bytes);
  if (first === 'exists') throw refused(store, 'a name that was never used is taken');
  const second = await store.putIfAbsent(path, bytesOf('a second writer'));
  if (second === 'created') throw refused(store, 'a second write under the same name was not refused');
  const read = await store.get(path);
  if (read === null || Buffer.compare(read, bytes) !== 0) {
    throw refused(store, 'what is read is not what was written');
  }
}

async function atTheSameTime(store: ObjectStore, path: string): Promise<void> {
  const bodies = Array.from({ length: RACERS }, (_, racer) => bytesOf(`racer ${racer}`));
  const outcomes = await Promise.all(bodies.map((body) => store.putIfAbsent(path, body)));
  const winners = bodies.filter((_, racer) => outcomes[racer] === 'created');
  if (winners.length > 1) {
    throw refused(store, `${winners.length} of ${RACERS} writes at the same time under one name were taken`);
  }
  const read = await store.get(path);
  if (winners.length === 1 && (read === null || Buffer.compare(read, winners[0]!) !== 0)) {
    throw refused(store, 'what is read is not what was written');
  }
}

/** What keeps an engine from starting on a table's place: LAKE_UNWRITABLE, but LAKE_IO where nothing has to be changed for it. */
export function startFailure(table: string, error: unknown): HeadraceError {
  if (!(error instanceof HeadraceError)) {
    return new HeadraceError('LAKE_UNWRITABLE', `the table's place cannot be written: ${messageOf(error)}`, {
      where: { table },
      remedy: 'check the path and its permissions',
      cause: error,
    });
  }
  if (error.code !== 'LAKE_IO' || isDiskFull(error) || isPassingFailure(error)) return error;
  return new HeadraceError('LAKE_UNWRITABLE', `the table's place cannot be written: ${error.message}`, {
    where: { table, ...error.where },
    remedy: error.remedy ?? 'check the path and its permissions',
    cause: error,
  });
}

function refused(store: ObjectStore, what: string): HeadraceError {
  return new HeadraceError('LAKE_UNWRITABLE', `the table's place breaks the rules of a ledger: ${what}`, {
    where: { table: store.url },
    remedy: store.url.startsWith('s3:')
      ? 'use a bucket that honours conditional writes (If-None-Match): AWS S3, a current MinIO, Cloudflare R2; and look whether a proxy or gateway before it drops that header'
      : 'use a local file system, or an object store that honours conditional writes',
  });
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
