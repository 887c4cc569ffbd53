/** What the host may call. */
import { crcInit } from './crc32c';
import { bytesInit } from './bytes';
import { freeRows } from './emitted';
import { gapInit } from './gap';
import { internInit } from './intern';
import { moveWatermark, settleLane } from './lane';
import { lanesBytes } from './lane-memory';
import {
  LANE_CLAMPED,
  LANE_CRC,
  LANE_FILTERED,
  LANE_KEYS,
  LANE_OPEN,
  LANE_ROWS,
  LANE_ROW_COUNT,
  LANE_ROW_ROOM,
  LANE_SESSION_BYTES,
  LANE_WATERMARK,
} from './lane-layout';
import { logInit } from './log';
import { internBytes } from './intern';
import { laneEarly, laneEndOfInput, laneEvict, laneFree } from './marks';
import { blanked, madeValuesInit } from './made-values';
import { memoryInit, reserve } from './memory';
import { loggedCount, modelInit } from './model';
import { rowInit } from './row';
import { scanInit, scanScratch } from './scan';
import { snapshotInit } from './snapshot-turns';
import { wheelInit } from './wheel';
import { windowsInit } from './windows';
import { arrangeInit } from './arrange';
import { decidedText, decidedValues, run, runFull, runNext, undecided, windowInit } from './window';

export { bytesInit } from './bytes';
export { columnsBuild, columnsFree } from './columns';
export { gather, gatherNeeds, shiftOffsets } from './gather';
export { laneNew } from './lane';
export { lz4Frame } from './lz4';
export { chunkBegin, chunkInit, chunkNeeds, chunkNext } from './parquet-chunk';
export { restoreBegin, restoredKeys, restoreEnd, restoreKeys } from './restore';
export { scanEvent, scanInit, scanScratch, scanScratchFree, scanScratchReset } from './scan';
export { snapshotBegin, snapshotNext } from './snapshot-turns';
export { snappy } from './snappy';
export { walkRecords } from './walk';
export { laneEarly, laneEndOfInput, laneEvict, laneFree };
export { decidedText, decidedValues, run };
export { alloc, free, memoryUsed, reserve } from './memory';
export { freeRows };

/** Takes the heap from `at` to `end`: first call. */
export { memoryInit };

/** Starts over a program that the host has put into reserved memory. */
export function init(program: usize, seed: u64, sessionBytesMax: u64, recordBytesMax: u32): void {
  bytesInit(seed);
  modelInit(program);
  crcInit();
  internInit(loggedCount);
  logInit();
  gapInit();
  rowInit();
  wheelInit();
  windowsInit();
  arrangeInit();
  snapshotInit();
  windowInit(sessionBytesMax);
  scanInit(program);
  madeValuesInit();
  const scratch = recordBytesMax + 65536;
  scanScratch(reserve(scratch), scratch);
}

export function sessionBytes(): u64 {
  return lanesBytes + internBytes;
}

export function laneSettle(lane: usize): void {
  settleLane(lane, true);
}

export function laneMoveWatermark(lane: usize, timeMs: i64): void {
  moveWatermark(lane, timeMs);
}

export function laneWatermark(lane: usize): i64 {
  return load<i64>(lane + LANE_WATERMARK);
}

export function laneOpenSessions(lane: usize): u32 {
  return load<u32>(lane + LANE_OPEN);
}

export function laneSessionBytes(lane: usize): u64 {
  return load<u64>(lane + LANE_SESSION_BYTES);
}

export function laneClamped(lane: usize): u64 {
  return load<u64>(lane + LANE_CLAMPED);
}

export function laneFiltered(lane: usize): u64 {
  return load<u64>(lane + LANE_FILTERED);
}

export function laneKeys(lane: usize): u32 {
  return load<u32>(lane + LANE_KEYS);
}

export function laneCrc(lane: usize): u32 {
  return load<u32>(lane + LANE_CRC);
}

export function laneRowCount(lane: usize): u32 {
  return load<u32>(lane + LANE_ROW_COUNT);
}

/** The list of the lane's rows, which is the host's from now on (freeRows); 0: there is none. */
export function laneTakeRows(lane: usize): usize {
  const rows: usize = load<u32>(lane + LANE_ROWS);
  store<u32>(lane + LANE_ROWS, 0);
  store<u32>(lane + LANE_ROW_COUNT, 0);
  store<u32>(lane + LANE_ROW_ROOM, 0);
  store<u32>(lane + LANE_CRC, 0);
  return rows;
}

/** Offset delta of the first record that the last run did not take, when it ended for want of memory. */
export function runEndedAt(): i32 {
  return runNext;
}

/** Did the last run end because sessions have all the memory that they may take? */
export function runWasFull(): bool {
  return runFull;
}

/** Values of the last run's events that were to be addresses and are none. */
export function runBlanked(): u32 {
  return blanked;
}

/** Records that the host was asked about, so far. */
export function undecidedRecords(): u32 {
  return undecided;
}
