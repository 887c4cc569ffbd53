import { s3LocationOf } from '../../config/lake-path.js';
import type { LakeConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { isHidden, resolveTableFolder, some } from './table-folder.js';

/** So many names below a prefix are looked into for a table; more is no folder of tables. */
const CHILDREN_MAX = 1_000;

/**
 * Which table is meant by a `--lake`: the place itself when it is a Delta table; else the only Delta table right below it; else the
 * place itself, for a table to be created, if nothing lies in it. Nothing is written here.
 *
 * @throws HeadraceError LAKE_NOT_OURS, LAKE_UNWRITABLE (a file is there), LAKE_IO
 */
export async function tablePlace(lake: LakeConfig): Promise<LakeConfig> {
  if (s3LocationOf(lake.path) === null) return { ...lake, path: await resolveTableFolder(lake.path) };
  return { ...lake, path: await resolveTablePrefix(lake) };
}

async function resolveTablePrefix(lake: LakeConfig): Promise<string> {
  const { S3Store } = await import('../store/s3.js');
  const { objects, folders } = await new S3Store(lake).children();
  if (folders.includes('_delta_log')) return lake.path;
  const names = folders.filter((name) => !isHidden(name));
  const tables: string[] = [];
  for (const name of names.slice(0, CHILDREN_MAX)) {
    const path = `${lake.path}/${name}`;
    if ((await new S3Store({ ...lake, path }).children()).folders.includes('_delta_log')) tables.push(name);
  }
  if (tables.length === 1) return `${lake.path}/${tables[0]}`;
  if (tables.length > 1) {
    throw new HeadraceError('LAKE_NOT_OURS', `several Delta tables lie below the prefix: ${some(tables)}`, {
      where: { path: lake.path },
      remedy: `name one of them, e.g. --lake ${lake.path}/${tables[0]}`,
    });
  }
  const others = [...names, ...objects.filter((name) => !isHidden(name))];
  if (others.length > 0) {
    throw new HeadraceError(
      'LAKE_NOT_OURS',
      `the prefix is not a Delta table and not empty: it has ${some(others)}`,
      { where: { path: lake.path }, remedy: `name one of its own, e.g. --lake ${lake.path}/sessions` },
    );
  }
  return lake.path;
}
