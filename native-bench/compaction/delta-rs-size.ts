import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The same rows in the same order, written by delta-rs with the same codec and settings of its own otherwise. */
const WRITE = `
import sys, os, glob
from deltalake import DeltaTable, WriterProperties, write_deltalake
rows = DeltaTable(sys.argv[1]).to_pyarrow_table()
write_deltalake(sys.argv[2], rows, partition_by=DeltaTable(sys.argv[1]).metadata().partition_columns,
  writer_properties=WriterProperties(compression="SNAPPY"), target_file_size=2**30)
print(sum(os.path.getsize(path) for path in glob.glob(sys.argv[2] + "/*/*.parquet")))
`;

/** Bytes of the data files that delta-rs makes of a table's rows; null: it is not installed (`npm run setup -- --tests`). */
export function deltaRsBytes(python: string | undefined, table: string, beside: string): number | null {
  if (python === undefined || !existsSync(python)) return null;
  return Number(execFileSync(python, ['-c', WRITE, table, join(beside, 'delta-rs')], { encoding: 'utf8' }));
}
