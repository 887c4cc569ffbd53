import { HeadraceError } from '../errors.js';
import { type AbortedTransaction, abortedBytes, encodeAborted } from '../reference/aborted-transactions.js';
import { RecordType } from '../ring/layout.js';
import { type BatchWalk, walkBatches } from './fetch-batches.js';
import type { FetchLane } from './fetch-lane.js';
import type { FetchedPartition } from './wire/fetch.js';

/** What became of the records in one lane's part of an answer. */
export type Delivery =
  /** Handed over; the position has moved. */
  | { kind: 'delivered'; bytes: number; batches: number }
  /** Nothing came, or nothing that lies before the lane's end. */
  | { kind: 'nothing' }
  /** The ring took it not: it is asked for again. */
  | { kind: 'no-room' }
  /** Only a part of a batch came: more is asked for. */
  | { kind: 'cut-off' }
  /** Fetch once more; when it was so before, halt with this. */
  | { kind: 'suspect'; error: HeadraceError }
  | { kind: 'halt'; error: HeadraceError };

/**
 * Hands the whole batches of an answer over to the lane's ring: the one copy that fetched bytes see on the main thread.
 * The batch that the end offset lies in goes whole, with `aux` saying where the lane ends. Aborted transactions that reach
 * into them go in the same record, so that no batch is ever read without knowing of them. `where` is for errors.
 */
export function deliver(
  lane: FetchLane,
  { records, abortedTransactions }: FetchedPartition,
  where: { topic: string; broker: string },
): Delivery {
  if (records.length === 0) return { kind: 'nothing' };
  const { partition, incarnation, position: offset, endOffset, ring } = lane;
  const bytesMax = ring.writer.payloadBytesMax - listBytes(abortedTransactions);
  const walk = walkBatches(records, { position: offset, endOffset, bytesMax });
  const at = { ...where, partition, offset };
  if (walk.keptBytes === 0) return nothingKept(lane, walk, bytesMax, at);
  if (walk.nextOffset <= offset) {
    return {
      kind: 'suspect',
      error: new HeadraceError('BATCH_CORRUPT', `batches end at ${walk.nextOffset}, below the position`, {
        where: at,
      }),
    };
  }
  const aborted = abortedTransactions.filter(({ firstOffset }) => firstOffset < walk.nextOffset);
  const frontBytes = listBytes(aborted);
  const claim = ring.writer.tryClaim(frontBytes + walk.keptBytes);
  if (claim === null) {
    lane.raise(frontBytes + walk.keptBytes);
    return { kind: 'no-room' };
  }
  if (frontBytes > 0) encodeAborted(aborted, claim.bytes);
  records.copyTo(claim.bytes.subarray(frontBytes));
  lane.advance(walk.nextOffset, walk.leaderEpoch, walk.batchBytesMax);
  const type = frontBytes > 0 ? RecordType.dataWithAborted : RecordType.data;
  ring.writer.commit(
    { type, partition, incarnation, offset, aux: lane.position },
    frontBytes + walk.keptBytes,
  );
  return { kind: 'delivered', bytes: walk.keptBytes, batches: walk.batches };
}

function listBytes(aborted: readonly AbortedTransaction[]): number {
  return aborted.length === 0 ? 0 : abortedBytes(aborted.length);
}

function nothingKept(
  lane: FetchLane,
  walk: BatchWalk,
  bytesMax: number,
  where: Record<string, string | number | bigint>,
): Delivery {
  switch (walk.stop) {
    case 'end-offset':
      return compactedAway(lane);
    case 'unsupported':
      return {
        kind: 'suspect',
        error: new HeadraceError('BATCH_UNSUPPORTED', walk.detail, {
          where,
          remedy: 'rewrite the topic in message format v2',
        }),
      };
    case 'corrupt':
      return { kind: 'suspect', error: new HeadraceError('BATCH_CORRUPT', walk.detail, { where }) };
    default:
      return cutOff(lane, walk.stoppedAtBytes, bytesMax, where);
  }
}

/** What lay before the end was compacted away: an empty record tells the worker that the lane is at its end. */
function compactedAway(lane: FetchLane): Delivery {
  const { partition, incarnation, position: offset } = lane;
  if (lane.ring.writer.tryClaim(0) === null) return { kind: 'no-room' };
  lane.advance(lane.endOffset!, lane.batchEpoch, 0);
  lane.ring.writer.commit({ type: RecordType.data, partition, incarnation, offset, aux: lane.position }, 0);
  return { kind: 'nothing' };
}

/** The first batch is not there as a whole. `bytes`: its size if its header is there; `bytesMax`: the ring takes no more. */
function cutOff(
  lane: FetchLane,
  bytes: number | null,
  bytesMax: number,
  where: Record<string, string | number | bigint>,
): Delivery {
  if (bytes !== null && bytes > Math.min(lane.limits.fetchBytesMax, bytesMax))
    return { kind: 'suspect', error: tooLarge(lane, bytes, bytesMax, where) };
  if (bytes === null && lane.raised) return { kind: 'halt', error: tooLarge(lane, bytes, bytesMax, where) };
  if (lane.fruitless()) {
    const error = new HeadraceError('BATCH_CORRUPT', 'the broker keeps sending a part of a batch', { where });
    return { kind: 'halt', error };
  }
  lane.raise(bytes);
  return { kind: 'cut-off' };
}

function tooLarge(
  lane: FetchLane,
  bytes: number | null,
  bytesMax: number,
  where: Record<string, string | number | bigint>,
): HeadraceError {
  const { fetchBytesMax } = lane.limits;
  const ringBinds = fetchBytesMax >= bytesMax;
  return new HeadraceError(
    'BATCH_TOO_LARGE',
    `a batch of ${bytes ?? 'unknown'} bytes, above the limit of ${Math.min(fetchBytesMax, bytesMax)}`,
    { where, remedy: `raise ${ringBinds ? 'limits.ring_bytes' : 'fetch.response_bytes_max'}` },
  );
}
