import {
  BATCH_PLAIN_BYTES, M_FIRST_MS, M_GREATEST_MS, M_OTHER, M_RECORDS, P_PRODUCED_MS, RECORD_BYTES_MAX, TAKEN_EVENT,
} from '../load-abi';
import { end, noMoreMatches, plain } from './lz4-block';
import { model } from './model';
import { hasNext, take } from './partition';
import { beginBlock, putEvent, putOther } from './records';

/** Makes the value of the draft's record, which is none of an event, where M_OTHER says. Returns its bytes. */
@external("host", "other")
declare function hostOther(p: usize): i32;

/**
 * The block of one batch: records before `untilMs`, of which there is one at least, at most `recordsMax`. Returns the place
 * behind it; M_RECORDS and what follows say what is in it.
 */
export function writeBatch(p: usize, from: usize, untilMs: f64, recordsMax: f64): usize {
  beginBlock(from);
  const began = plain;
  let records = 0;
  let firstMs: f64 = 0;
  let greatestMs: f64 = 0;
  for (let isLast = false; !isLast; ) {
    const taken = take(p);
    const producedMs = load<f64>(p, P_PRODUCED_MS);
    if (records == 0) firstMs = producedMs;
    greatestMs = Math.max(greatestMs, producedMs);
    const bytes = taken == TAKEN_EVENT ? 0 : hostOther(p);
    isLast =
      <f64>(records + 1) >= recordsMax ||
      plain - began + RECORD_BYTES_MAX >= BATCH_PLAIN_BYTES ||
      !hasNext(p, untilMs);
    if (isLast) noMoreMatches();
    const delta = <i64>(producedMs - firstMs);
    if (taken == TAKEN_EVENT) putEvent(p, delta, records);
    else putOther(p, load<u32>(model, M_OTHER), bytes, delta, records);
    records++;
  }
  store<u32>(model, records, M_RECORDS);
  store<f64>(model, firstMs, M_FIRST_MS);
  store<f64>(model, greatestMs, M_GREATEST_MS);
  return end();
}
