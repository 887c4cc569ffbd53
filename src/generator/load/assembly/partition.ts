import {
  CLEAN_RECORDS, DISORDER_MS_MAX, FUTURE_MS_MAX, FUTURE_MS_MIN, LATE_MS_MAX, LATE_MS_MIN, M_DISORDERED, M_EXTRAS, M_IS_DIRTY,
  P_DISORDERED, P_EVENT_ID, P_EVENT_MS, P_EXTRAS, P_PENDING, P_RECORDS, P_RECORDS_MAX, P_TIME_MS, P_USERS, P_WORDS,
  TAKEN_EVENT, TAKEN_MALFORMED,
} from '../load-abi';
import { hasEvent, takeEvent } from './crowd';
import { model } from './model';
import { below, float, fourWords } from './words';

/**
 * The records of one partition, in their order: the crowd's events, and what is wrong among them. The seed and the options
 * decide every byte, whoever sends them and in whatever batches.
 */

const LATE: usize = 0;
const DUPLICATED: usize = 1;
const MALFORMED: usize = 2;
const FUTURE: usize = 3;
const KINDS: usize = 4;

// @ts-ignore: decorator
@inline
export function isDone(p: usize): bool {
  return load<f64>(p, P_RECORDS) >= load<f64>(p, P_RECORDS_MAX) || load<i32>(p, P_USERS) == 0;
}

// @ts-ignore: decorator
@inline
function isPending(p: usize): bool {
  return (load<u64>(p, P_PENDING) | load<u64>(p, P_PENDING + 8)) != 0;
}

/** Is there a record before `untilMs`? */
export function hasNext(p: usize, untilMs: f64): bool {
  return !isDone(p) && (isPending(p) || hasEvent(p, untilMs));
}

/** Takes the next record, which there is. Returns what it is. */
export function take(p: usize): i32 {
  store<f64>(p, load<f64>(p, P_RECORDS) + 1, P_RECORDS);
  if (isPending(p)) return takeExtra(p);
  takeEvent(p);
  if (load<u32>(model, M_IS_DIRTY) != 0) soil(p);
  return TAKEN_EVENT;
}

function soil(p: usize): void {
  const words = p + P_WORDS;
  const timeMs = load<f64>(p, P_EVENT_MS);
  store<f64>(p, timeMs, P_TIME_MS);
  if (float(words) < load<f64>(model, M_DISORDERED)) {
    store<f64>(p, timeMs - <f64>(1 + below(words, DISORDER_MS_MAX)), P_EVENT_MS);
    store<f64>(p, load<f64>(p, P_DISORDERED) + 1, P_DISORDERED);
  }
  if (load<f64>(p, P_RECORDS) <= CLEAN_RECORDS) return;
  for (let kind: usize = 0; kind < KINDS; kind++) {
    const extra = load<f64>(model + M_EXTRAS + kind * 8);
    const whole = Math.floor(extra);
    const more = float(words) < extra - whole ? 1 : 0;
    store<i32>(p + P_PENDING + kind * 4, <i32>whole + more);
  }
}

/** Of a repetition the original is the record before. */
function takeExtra(p: usize): i32 {
  if (takes(p, DUPLICATED)) return TAKEN_EVENT;
  const kind = takes(p, FUTURE) ? FUTURE : takes(p, MALFORMED) ? MALFORMED : LATE;
  if (kind == LATE) takes(p, LATE);
  const words = p + P_WORDS;
  fourWords(words, p + P_EVENT_ID);
  const timeMs = load<f64>(p, P_TIME_MS);
  if (kind == MALFORMED) {
    store<f64>(p, timeMs, P_EVENT_MS);
    return TAKEN_MALFORMED;
  }
  if (kind == LATE) {
    store<f64>(p, timeMs - <f64>(LATE_MS_MIN + below(words, LATE_MS_MAX - LATE_MS_MIN)), P_EVENT_MS);
  } else store<f64>(p, timeMs + <f64>(FUTURE_MS_MIN + below(words, FUTURE_MS_MAX - FUTURE_MS_MIN)), P_EVENT_MS);
  return TAKEN_EVENT;
}

function takes(p: usize, kind: usize): bool {
  const at = p + P_PENDING + kind * 4;
  const left = load<i32>(at);
  if (left == 0) return false;
  store<i32>(at, left - 1);
  const countAt = p + P_EXTRAS + kind * 8;
  store<f64>(countAt, load<f64>(countAt) + 1);
  return true;
}
