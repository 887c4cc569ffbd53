import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LakeName } from '#src/commands/lake/open-lake.js';
import { lakeRead } from '#src/commands/lake/read.js';
import type { DeltaLog } from '#src/lake/delta/log.js';
import { type Canonical, type ColumnType, canonical, canonicalOfPartition } from './canonical-values.js';

/** What `headrace lake read --changes` writes as JSON lines, as the judges of a table's state have values. Whole numbers up to 2⁵³. */
export async function commandRows(
  lake: LakeName,
  folder: string,
  { schema }: DeltaLog['metaData'],
): Promise<Canonical[][]> {
  const output = join(folder, 'command-rows.jsonl');
  const how = { format: 'jsonl' as const, where: [], limit: null, changes: true };
  await lakeRead({ lake, output, ...how, stdout: () => {}, stderr: () => {} });
  const lines = (await readFile(output, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const row = JSON.parse(line) as Record<string, unknown>;
    return schema.fields.map(({ name, type }) => canonicalOfJson(type, row[name]));
  });
}

function canonicalOfJson(type: ColumnType, value: unknown): Canonical {
  if (type === 'timestamp' && typeof value === 'string') return canonicalOfPartition(type, value);
  return canonical(type, value);
}
