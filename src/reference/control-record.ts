import { BatchFault } from './batch-fault.js';
import type { OpenBatch } from './batch-reader.js';
import { walkRecords } from './record-walk.js';

/**
 * The key of a control record: version i16 │ type i16, big endian (0: ABORT, 1: COMMIT, others are not ours to know). Later
 * versions may add to it.
 */
const KEY_BYTES_MIN = 4;
const ABORT = 0;

/** Of an opened control batch: does its first record end a transaction by abort? Throws BatchFault `corrupt`. */
export function isAbortMarker({ records, count, lastOffsetDelta }: OpenBatch): boolean {
  // a record that compaction removed says nothing any more
  let type = -1;
  let first = true;
  walkRecords(records, count, lastOffsetDelta, ({ keyAt, keyBytes }) => {
    if (first) type = typeOf(records, keyAt, keyBytes);
    first = false;
  });
  return type === ABORT;
}

function typeOf(records: Uint8Array, at: number, bytes: number): number {
  if (bytes < KEY_BYTES_MIN) throw new BatchFault('corrupt', 'a control record without its type');
  const view = new DataView(records.buffer, records.byteOffset + at, bytes);
  if (view.getInt16(0) < 0) throw new BatchFault('corrupt', 'a control record of a negative version');
  return view.getInt16(2);
}
