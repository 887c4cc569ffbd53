import { makeData, RecordBatch, RecordBatchStreamWriter, type Schema, Struct } from 'apache-arrow';
import type { BuiltColumn } from './built-column.js';

/**
 * Columns → Arrow's stream format, into memory that is used again: tableToIPC takes new memory for each file and wraps more
 * around it, which costs twice as much CPU as the one copy here.
 */

/** A larger stream gets memory of its own. */
const KEPT_BYTES_MAX = 32 * 2 ** 20;
let kept = new Uint8Array(0);

/** One batch with its schema; good until the next call. */
export function arrowStream(schema: Schema, columns: readonly BuiltColumn[], rows: number): Uint8Array {
  const children = columns.map((column) => column.data);
  const struct = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children });
  const gatherer = new Gatherer();
  gatherer.write(new RecordBatch(schema, struct));
  gatherer.finish();
  return gatherer.joined();
}

/** Keeps what is written as the views that they are, of the columns' own memory. */
class Gatherer extends RecordBatchStreamWriter {
  readonly #views: Uint8Array[] = [];

  protected override _write(chunk: ArrayBufferView): this {
    if (!this._started || chunk.byteLength === 0) return this;
    this.#views.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this._position += chunk.byteLength;
    return this;
  }

  joined(): Uint8Array {
    const length = this.#views.reduce((sum, view) => sum + view.length, 0);
    const bytes = memoryFor(length);
    let at = 0;
    for (const view of this.#views) {
      bytes.set(view, at);
      at += view.length;
    }
    return bytes.subarray(0, length);
  }
}

function memoryFor(bytes: number): Uint8Array {
  if (bytes > KEPT_BYTES_MAX) return new Uint8Array(bytes);
  // an eighth more: the next file is about as large
  if (kept.length < bytes) kept = new Uint8Array(Math.min(bytes + (bytes >> 3), KEPT_BYTES_MAX));
  return kept;
}
