import type { Column } from '../model/types.js';

/**
 * How a column's bytes are stored, by what is in them. ClickHouse's own choice is LZ4, for speed of reading; a warehouse of sessions
 * is read by a few columns and kept for months, so all columns take ZSTD, which reads at some 1 GB/s a core. Rows of a day lie in
 * the order of session_id, which is as good as none, so neighbours share little: delta codecs do not help.
 *
 * Measured by `npm run bench -- warehouse` (300,000 sessions of web_clicks, by column, codec against LZ4), bytes a session:
 *
 *   all columns                         122 of 217
 *   page_events, lists as JSON           84 of 141   ZSTD(3); two thirds of what is left of a session
 *   session_id                           16 of 32    a hash in hex: its 16 bytes are all that there is to store
 *   times                                11 of 16    T64 cuts 0.4 more from each than ZSTD(1) alone
 *   whole numbers                       5.9 of 16    T64: a count takes the bits that the largest of its block needs
 *   LowCardinality texts (9 columns)    3.0 of 5.4   30 as plain texts under LZ4: dictionaries save more than any codec
 *   the rest                            1.9 of 5.9   batch_id and file_id
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
