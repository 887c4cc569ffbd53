/** The program's figures that are needed all the time. */
import {
  COLUMN_FIELD,
  FIELD_BYTES,
  FIELD_LOGGED,
  FIELD_TYPE,
  P_CHANGE_COUNT,
  P_CHANGE_PLACES,
  P_COLLECTION_BYTES,
  P_DEDUPLICATE,
  P_DISORDER,
  P_END_CONDITION,
  P_END_COUNTED,
  P_FIELDS,
  P_FILTER,
  P_FIELD_COUNT,
  P_FLAGS_FIELD,
  P_GAP,
  P_GAP_DEFAULT,
  P_GAP_FIELD,
  P_GAP_UNIT,
  P_KEY_FIELD,
  P_LATENESS,
  P_LOGGED_COUNT,
  P_LOGGED_FIELDS,
  P_MAX_DURATION,
  P_MAX_FUTURE,
  P_OFFSET_FIELD,
  P_PARTITION_FIELD,
  P_SESSION_START_COLUMN,
  P_START_CONDITION,
  P_TIME_FIELD,
  P_TRACKED_COUNT,
  P_VALUE_FORMAT,
} from '../abi';

export let program: usize = 0;
export let fieldCount: u32 = 0;
export let loggedCount: u32 = 0;
export let trackedCount: u32 = 0;
/** u32 by place: the field's index. */
export let loggedFields: usize = 0;
export let keyField: u32 = 0;
export let timeField: u32 = 0;
export let endCondition: i32 = -1;
/** Place of what repeated events are told by, −1: none are. */
export let deduplicatePlace: i32 = -1;
export let filterCondition: i32 = -1;
export let offsetField: i32 = -1;
export let partitionField: i32 = -1;
export let collectionBytesMax: u32 = 0;
export let sessionStartColumn: u32 = 0;
export let gapMs: i64 = 0;
/** What says how long an event holds its session open, and where it is in the log; −1: all events do for `gapMs`. */
export let gapField: i32 = -1;
export let gapPlace: u32 = 0;
export let gapUnitMs: f64 = 1;
export let gapDefaultMs: i64 = 0;
export let disorderMs: i64 = 0;
export let latenessMs: i64 = 0;
export let maxFutureMs: i64 = 0;
export let maxDurationMs: i64 = 0;
export let startCondition: i32 = -1;
export let endCounted: bool = false;
/** Where an event's flags are among its values and in the log; −1: nowhere. */
export let flagsField: i32 = -1;
export let flagsPlace: i32 = -1;
export let changeCount: u32 = 0;
let changePlaces: usize = 0;
/** Events begin or end sessions by what they say, not by their time alone. */
export let hasSayings: bool = false;
/** A session's end may depend on more than its own events. */
export let hasEnds: bool = false;
/** VALUE_… */
export let valueFormat: u32 = 0;

export function modelInit(at: usize): void {
  program = at;
  fieldCount = load<u32>(at + P_FIELD_COUNT);
  loggedCount = load<u32>(at + P_LOGGED_COUNT);
  trackedCount = load<u32>(at + P_TRACKED_COUNT);
  loggedFields = at + load<u32>(at + P_LOGGED_FIELDS);
  keyField = load<u32>(at + P_KEY_FIELD);
  timeField = load<u32>(at + P_TIME_FIELD);
  endCondition = load<i32>(at + P_END_CONDITION);
  deduplicatePlace = load<i32>(at + P_DEDUPLICATE) - 1;
  filterCondition = load<i32>(at + P_FILTER);
  offsetField = load<i32>(at + P_OFFSET_FIELD);
  partitionField = load<i32>(at + P_PARTITION_FIELD);
  collectionBytesMax = load<u32>(at + P_COLLECTION_BYTES);
  sessionStartColumn = load<u32>(at + P_SESSION_START_COLUMN);
  gapMs = load<i64>(at + P_GAP);
  gapField = load<i32>(at + P_GAP_FIELD);
  if (gapField >= 0) gapPlace = loggedPlace(gapField);
  gapUnitMs = <f64>load<u32>(at + P_GAP_UNIT);
  gapDefaultMs = load<i64>(at + P_GAP_DEFAULT);
  disorderMs = load<i64>(at + P_DISORDER);
  latenessMs = load<i64>(at + P_LATENESS);
  maxFutureMs = load<i64>(at + P_MAX_FUTURE);
  maxDurationMs = load<i64>(at + P_MAX_DURATION);
  startCondition = load<i32>(at + P_START_CONDITION);
  endCounted = load<u32>(at + P_END_COUNTED) != 0;
  flagsField = load<i32>(at + P_FLAGS_FIELD);
  // the last place of the log
  flagsPlace = flagsField < 0 ? -1 : <i32>loggedCount - 1;
  changeCount = load<u32>(at + P_CHANGE_COUNT);
  changePlaces = at + load<u32>(at + P_CHANGE_PLACES);
  hasSayings = flagsField >= 0 || changeCount != 0;
  hasEnds = hasSayings || endCondition >= 0;
  valueFormat = load<u32>(at + P_VALUE_FORMAT);
}

/** The field kept at a place of the log. */
// @ts-ignore: decorator
@inline
export function fieldAt(place: u32): u32 {
  return load<u32>(loggedFields + (place << 2));
}

/** The place in the log of a value whose change begins a session. */
// @ts-ignore: decorator
@inline
export function changePlace(index: u32): u32 {
  return load<u32>(changePlaces + (index << 2));
}

// @ts-ignore: decorator
@inline
export function typeOfField(field: u32): u32 {
  return load<u32>(program + load<u32>(program + P_FIELDS) + field * FIELD_BYTES + FIELD_TYPE);
}

/** Where a column's field is kept. */
// @ts-ignore: decorator
@inline
export function placeOf(column: usize): u32 {
  return loggedPlace(load<u32>(column + COLUMN_FIELD));
}

function loggedPlace(field: u32): u32 {
  return load<u32>(program + load<u32>(program + P_FIELDS) + field * FIELD_BYTES + FIELD_LOGGED);
}
