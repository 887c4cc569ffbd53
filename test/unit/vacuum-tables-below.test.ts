import { expect, it } from 'vitest';
import { filesBeside } from '#src/lake/maintenance/vacuum.js';

/** Two tables in one bucket, one prefix below the other: what the outer one's vacuum and erasures take for files that nobody names. */
const file = (path: string) => ({ path, sizeBytes: 1, modifiedMs: 0 });
const pathsOf = (listed: readonly string[], active: readonly string[] = []) =>
  filesBeside(listed.map(file), new Set(active)).map(({ path }) => path);

it('files of a table that lies below another one are left to it', () => {
  const own = ['session_date=2026-01-01/part-1-0-1.parquet', 'session_date=2026-01-01/part-2-0-1.parquet'];
  const others = [
    'eu/_delta_log/00000000000000000000.json',
    'eu/session_date=2026-01-01/part-1-0-1.parquet',
    'teams/shop/_delta_log/00000000000000000007.checkpoint.parquet',
    'teams/shop/session_date=2026-01-01/part-9-0-1.parquet',
  ];
  expect(pathsOf(['_delta_log/00000000000000000000.json', ...own, ...others], [own[0]!])).toEqual([own[1]]);
});

it('a folder that merely begins with the name of such a table is the outer one’s', () => {
  const listed = ['eu/_delta_log/00000000000000000000.json', 'eu-old/part-1.parquet', 'teams/part-2.parquet'];
  expect(pathsOf(listed)).toEqual(['eu-old/part-1.parquet', 'teams/part-2.parquet']);
});
