import { ReadableStream } from 'node:stream/web';
import { messageOf } from '../errors.js';
import type { CompiledModel } from '../model/types.js';
import { arrowSchema } from './arrow-schema.js';
import { arrowStream } from './arrow-stream.js';
import { type EncodedFile, writerProperties } from './encode.js';
import { chunksOfAll, FileColumns, takeColumns } from './file-columns.js';
import { Table, transformParquetStream } from './parquet-package.js';
import { rowOrder } from './row-order.js';
import { placesOf, type RowPlaces, reordered, slicedPlaces } from './row-places.js';
import { ColumnStats, statsJson } from './stats.js';

/**
 * Data files of one partition → fewer and larger ones with the same rows, but for those that are taken out, in the order of some
 * columns. Decoded at once is what goes in; what comes out is built a row group at a time. Row groups carry statistics,
 * so that readers pass over those that can't hold what they look for.
 */

export interface MergeInput {
  bytes: Uint8Array;
  /** Rows to leave out, by number. */
  gone: ReadonlySet<number>;
}

export interface MergeOptions {
  /** Columns by name, the first counting most; none: rows stay in the order in which they come. */
  orderBy: readonly string[];
  /** How many files come out, of about as many rows each; fewer when there are not that many rows. */
  fileCount: number;
  /** Waited for before each row group: what else the thread has to do. */
  pause?(): Promise<void>;
}

/** Readers work off row groups of some 100,000 rows best; a reader's thread takes one at a time. */
export const ROW_GROUP_ROWS = 122_880;

/** A file that another tool wrote in a form that can't be written again here. */
export class ForeignInput extends Error {
  /** Which of the inputs. */
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super(messageOf(cause), { cause });
    this.index = index;
  }
}

/** Throws ForeignInput for a file whose columns are not the model's. */
export async function mergeFiles(
  model: CompiledModel,
  inputs: readonly MergeInput[],
  { orderBy, fileCount, pause }: MergeOptions,
): Promise<EncodedFile[]> {
  const files: FileColumns[] = [];
  for (const [index, { bytes }] of inputs.entries()) {
    files.push(openedInput(model, bytes, index));
    await pause?.();
  }
  const places = orderedPlaces(model, files, inputs, orderBy);
  const merged: EncodedFile[] = [];
  const count = Math.min(fileCount, places.length);
  for (let file = 0; file < count; file++) {
    const [from, to] = [file, file + 1].map((part) => Math.round((places.length * part) / count));
    merged.push(await writeRowGroups(model, files, slicedPlaces(places, from!, to!), pause));
  }
  return merged;
}

function openedInput(model: CompiledModel, bytes: Uint8Array, index: number): FileColumns {
  try {
    const file = new FileColumns(bytes);
    for (const column of model.columns.keys()) chunksOfAll(model, [file], column);
    const known = new Set(model.columns.map(({ name }) => name));
    const more = file.names.find((name) => !known.has(name));
    if (more !== undefined) throw new Error(`it has a column ${more} that the model has not`);
    return file;
  } catch (error) {
    throw new ForeignInput(index, error);
  }
}

function orderedPlaces(
  model: CompiledModel,
  files: readonly FileColumns[],
  inputs: readonly MergeInput[],
  orderBy: readonly string[],
): RowPlaces {
  const gone = new Set<number>();
  let first = 0;
  for (const [index, { rows }] of files.entries()) {
    for (const row of inputs[index]!.gone) gone.add(first + row);
    first += rows;
  }
  const lengths = files.flatMap((file) => file.lengths);
  const places = placesOf(lengths, gone.size === 0 ? undefined : (row) => gone.has(row));
  if (orderBy.length === 0) return places;
  const columns = orderBy.map((name) =>
    chunksOfAll(
      model,
      files,
      model.columns.findIndex((column) => column.name === name),
    ),
  );
  return reordered(places, rowOrder(columns, places));
}

async function writeRowGroups(
  model: CompiledModel,
  files: readonly FileColumns[],
  places: RowPlaces,
  pause: MergeOptions['pause'],
): Promise<EncodedFile> {
  const stats = model.columns.map(() => new ColumnStats());
  const schema = arrowSchema(model);
  let at = 0;
  const batches = new ReadableStream(
    {
      pull: async (controller) => {
        if (at >= places.length) {
          controller.close();
          return;
        }
        const group = slicedPlaces(places, at, at + ROW_GROUP_ROWS);
        at += group.length;
        const columns = takeColumns(model, files, group);
        for (const [index, column] of columns.entries()) stats[index]!.take(column);
        const table = Table.fromIPCStream(arrowStream(schema, columns, group.length));
        for (const batch of table.recordBatches()) controller.enqueue(batch);
        table.free();
        await pause?.();
      },
    },
    { highWaterMark: 0 },
  );
  const properties = writerProperties(model, ROW_GROUP_ROWS, true);
  const written = await transformParquetStream(batches as never, properties);
  const parts: Uint8Array[] = [];
  for await (const part of written as unknown as AsyncIterable<Uint8Array>) parts.push(part);
  const rows = places.length;
  return { bytes: Buffer.concat(parts), rows, stats: statsJson(model, stats, rows) };
}
