import type { Column } from '../model/types.js';

/**
 * How a column's bytes are stored, by what is in them. ClickHouse's own choice is LZ4, for speed of reading; a warehouse of sessions
 * is read by a few columns and kept for months, so all columns take ZSTD, which reads at some 1 GB/s a core. Rows of a day lie in
 * the order of session_id, which is as good as none, so neighbours share little: delta codecs do not help.
 * `npm run bench -- warehouse` measures bytes a session with these codecs and without any.
 */
export function codecOf({ type, op }: Pick<Column, 'type' | 'op'>): string {
  switch (type) {
    case 'time':
      // of one month: the upper half of the 64 bits is the same
      return op.op === 'created_at' ? 'ZSTD(1)' : 'T64, ZSTD(1)';
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint16':
    case 'uint32':
      return 'T64, ZSTD(1)';
    case 'list<string>':
      // texts that come again in a part: a higher level finds them over a longer way
      return 'ZSTD(3)';
    case 'string':
      return isLong(op.op) ? 'ZSTD(3)' : 'ZSTD(1)';
    default:
      // batch_id and file_id are the same for many rows, a byte has nothing to cut
      return 'ZSTD(1)';
  }
}

/** JSON in a text. */
function isLong(op: string): boolean {
  return op === 'records' || op === 'list' || op === 'set';
}
