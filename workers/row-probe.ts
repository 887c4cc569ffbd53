import { type Data, type Table, tableFromIPC } from 'apache-arrow';
import type { RowProbe } from '#src/clickhouse/file.js';
import { readParquet } from '#src/columnar/parquet-package.js';

/**
 * By which row ClickHouse can be asked whether it has a file, once merges may have taken away all rows that carry its id:
 * one that no other row of the file cancels. A lane's files go in one after the other, so until the next one is begun the
 * sum of the signs of this row's session and revision says it: with +1 in the file it is above 0 behind it, with −1 it is
 * no more. Null: all rows of the file cancel each other, and it makes no difference.
 *
 * A row with +1 is taken where there is one: that nothing is left of a row with −1 says something only if it was in before, and
 * behind a restored backup another engine may still have to bring in an earlier file of a lane that this file shares.
 */
export function probeOf(parquet: Uint8Array): RowProbe | null {
  const names = ['session_id', 'session_start', 'revision', 'sign'];
  const table: Table = tableFromIPC(readParquet(parquet, { columns: names }).intoIPCStream());
  const [ids, starts, revisions, signs] = names.map((name) => valuesOf(table, name));
  const sums = new Map<string, RowProbe>();
  for (const [row, sessionId] of ids!.entries()) {
    const [start, revision, sign] = [starts![row], revisions![row], Number(signs![row])];
    const key = `${revision}/${start}/${sessionId}`;
    const sum = sums.get(key);
    if (sum !== undefined) sum.sign += sign;
    else {
      const sessionStartMs = Number((start as bigint) / 1_000n);
      sums.set(key, { sessionId: String(sessionId), sessionStartMs, revision: Number(revision), sign });
    }
  }
  const probes = [...sums.values()].filter(({ sign }) => sign !== 0);
  return probes.find(({ sign }) => sign > 0) ?? probes[0] ?? null;
}

const text = new TextDecoder('utf-8', { ignoreBOM: true });

/** From the buffers: apache-arrow's own getters drop a leading BOM. Times in µs. None of these columns can be null. */
function valuesOf(table: Table, name: string): unknown[] {
  return table.getChild(name)!.data.flatMap((data: Data) =>
    Array.from({ length: data.length }, (_, row) => {
      if (!(data.values instanceof Uint8Array)) return data.values[row];
      return text.decode(data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1]));
    }),
  );
}
