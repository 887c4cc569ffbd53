import { promises as fs } from 'node:fs';
import { join, resolve } from 'node:path';
import { HeadraceError } from '../../errors.js';
import { codeOf, isMissing, lakeIoError } from '../store/local-errors.js';

/**
 * Which folder is meant by `--lake PATH`: PATH when it is a Delta table; else the only Delta table among its children;
 * else PATH itself, a table to be created, if nothing lies in it. Nothing is written here.
 *
 * @returns the absolute path of the table's folder
 * @throws HeadraceError LAKE_NOT_OURS, LAKE_UNWRITABLE (a file is there), LAKE_IO
 */
export async function resolveTableFolder(path: string): Promise<string> {
  const folder = resolve(path);
  const names = await visibleNames(folder);
  if (await isTable(folder)) return folder;
  const tables: string[] = [];
  for (const name of names) if (await isTable(join(folder, name))) tables.push(name);
  if (tables.length === 1) return join(folder, tables[0]!);
  if (tables.length > 1) {
    throw new HeadraceError('LAKE_NOT_OURS', `several Delta tables lie in the folder: ${tables.join(', ')}`, {
      where: { path: folder },
      remedy: `name one of them, e.g. --lake ${join(path, tables[0]!)}`,
    });
  }
  if (names.length > 0) {
    throw new HeadraceError(
      'LAKE_NOT_OURS',
      `the folder is not a Delta table and not empty: it has ${some(names)}`,
      {
        where: { path: folder },
        remedy: `name an empty or new folder, e.g. --lake ${join(path, 'sessions')}`,
      },
    );
  }
  return folder;
}

/** A few names for a message. */
export function some(names: readonly string[]): string {
  const first = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${first} and ${names.length - 3} more` : first;
}

/** Readers of tables pass over names that begin with a dot or an underscore, and so do we. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || name.startsWith('_');
}

async function visibleNames(folder: string): Promise<string[]> {
  try {
    return (await fs.readdir(folder)).filter((name) => !isHidden(name)).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') {
      throw new HeadraceError('LAKE_UNWRITABLE', 'the lake is a file, not a folder', {
        where: { path: folder },
        remedy: 'name a folder; it is made when it is not there',
      });
    }
    if (isMissing(error)) return [];
    throw lakeIoError('list', folder, error);
  }
}

async function isTable(folder: string): Promise<boolean> {
  try {
    return (await fs.stat(join(folder, '_delta_log'))).isDirectory();
  } catch (error) {
    if (isMissing(error) || codeOf(error) === 'EACCES') return false;
    throw lakeIoError('look into', folder, error);
  }
}
