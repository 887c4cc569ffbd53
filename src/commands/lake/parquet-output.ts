import { Table as ArrowTable, tableToIPC } from 'apache-arrow';
import {
  Compression,
  Table,
  transformParquetStream,
  WriterPropertiesBuilder,
} from '../../columnar/parquet-package.js';
import { arrowBatch } from '../../lake/reading/arrow-batch.js';
import type { Cell, CellColumn } from '../../lake/reading/cell.js';
import { rowAt, type WantedRows } from '../../lake/reading/table-rows.js';

/** Rows that are in memory at a time, and of a row group of the file. */
const BATCH_ROWS = 16_384;
const GROUP_ROWS = 8 * BATCH_ROWS;

/** One Parquet file, written while its rows come. Throws what reading them throws. */
export async function* parquetOutput(
  columns: readonly CellColumn[],
  blocks: AsyncIterable<WantedRows>,
): AsyncGenerator<Uint8Array> {
  const batches = batchesOf(blocks)[Symbol.asyncIterator]();
  // the writer in WebAssembly does not survive an input that fails: it gets a good end, and the failure goes past it
  let failure: unknown = null;
  const input = new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await batches.next();
          if (done === true) controller.close();
          else controller.enqueue(wasmBatch(columns, value));
        } catch (error) {
          failure = error;
          controller.close();
        }
      },
    },
    { highWaterMark: 0 },
  );
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(GROUP_ROWS)
    .build();
  const output = await transformParquetStream(input, properties);
  for await (const bytes of output as unknown as AsyncIterable<Uint8Array>) {
    if (failure === null) yield bytes;
  }
  if (failure !== null) throw failure;
}

/** At least one, be it empty: it brings the schema. */
async function* batchesOf(blocks: AsyncIterable<WantedRows>): AsyncGenerator<Cell[][]> {
  let batch: Cell[][] = [];
  let isFirst = true;
  for await (const { cells, rows } of blocks) {
    for (const row of rows) {
      batch.push(rowAt(cells, row));
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
      isFirst = false;
    }
  }
  if (batch.length > 0 || isFirst) yield batch;
}

function wasmBatch(columns: readonly CellColumn[], rows: readonly Cell[][]) {
  const table = Table.fromIPCStream(tableToIPC(new ArrowTable([arrowBatch(columns, rows)]), 'stream'));
  const [batch] = table.recordBatches();
  table.free();
  return batch;
}
