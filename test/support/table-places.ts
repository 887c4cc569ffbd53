import { lakeAt } from '#src/config/lake-place.js';
import type { LakeConfig } from '#src/config/types.js';
import { withFolder } from './lake-table.js';
import type { MinioServer } from './minio.js';
import { localTable, type ReadableTable, s3Table } from './table-readers.js';

/** Where a table may lie: for tests that hold in a folder and in a bucket. */
export interface TablePlace {
  table: ReadableTable;
  lake: LakeConfig;
  /** For whatever else lies on disk. */
  folder: string;
}

export type PlaceOf = (name: string) => TablePlace;

export const KINDS = ['folder', 'bucket'] as const;
let tests = 0;

/** `minio`: asked for buckets only. */
export async function inPlaces(
  kind: (typeof KINDS)[number],
  minio: () => MinioServer,
  work: (placeOf: PlaceOf) => Promise<void>,
): Promise<void> {
  const prefix = `test-${++tests}`;
  await withFolder(async (folder) => {
    await work((name) => {
      if (kind === 'bucket') {
        const path = `${prefix}/${name}`;
        return { table: s3Table(minio(), path, folder), lake: minio().place(path), folder };
      }
      const path = `${folder}/${name}`;
      return { table: localTable(path, folder), lake: lakeAt(path), folder };
    });
  });
}
