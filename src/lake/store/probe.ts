import { HeadraceError, messageOf } from '../../errors.js';
import { type Random, systemRandom } from '../../random.js';
import { isDiskFull } from './local-errors.js';
import type { ObjectStore } from './store.js';

/**
 * Tries on a small object what the ledger lives on: a write lands whole, a second write under the same name is refused,
 * and what is read is what was written. LAKE_UNWRITABLE says which of these does not hold. A full disk is LAKE_IO: there is
 * nothing to change in the configuration, and later it may have room.
 */
export async function probeWritable(store: ObjectStore, random: Random = systemRandom): Promise<void> {
  const path = `_headrace/probe-${random.id63().toString(36)}`;
  const bytes = new TextEncoder().encode('headrace was here');
  try {
    const first = await store.putIfAbsent(path, bytes);
    if (first === 'exists') throw refused(store, 'a name that was never used is taken');
    const second = await store.putIfAbsent(path, new TextEncoder().encode('a second writer'));
    if (second === 'created') throw refused(store, 'a second write under the same name was not refused');
    const read = await store.get(path);
    if (read === null || Buffer.compare(read, bytes) !== 0) {
      throw refused(store, 'what is read is not what was written');
    }
    await store.delete(path);
  } catch (error) {
    await store.delete(path).catch(() => undefined);
    if (error instanceof HeadraceError && (error.code === 'LAKE_UNWRITABLE' || isDiskFull(error)))
      throw error;
    const remedy = error instanceof HeadraceError ? error.remedy : undefined;
    const what = error instanceof HeadraceError ? error.message : messageOf(error);
    throw new HeadraceError('LAKE_UNWRITABLE', `the table's place cannot be written: ${what}`, {
      where: { table: store.url, ...(error instanceof HeadraceError ? error.where : {}) },
      remedy: remedy ?? 'check the path and its permissions',
      cause: error,
    });
  }
}

function refused(store: ObjectStore, what: string): HeadraceError {
  return new HeadraceError('LAKE_UNWRITABLE', `the table's place breaks the rules of a ledger: ${what}`, {
    where: { table: store.url },
    remedy: 'use a local file system, or an object store that honours conditional writes',
  });
}
