import type { Row } from '../model/types.js';
import type { FieldValues } from './event.js';

/**
 * All that a lane knows between two events, as plain data: what a snapshot holds. Rows and dead letters of the future are
 * a function of this and of the log.
 */
export interface LaneState {
  /** Null before the first event. */
  watermarkMs: number | null;
  keys: KeyState[];
}

export interface KeyState {
  key: string;
  /** Times of end events that still matter, ascending, each once. */
  endMarkersMs: number[];
  /** Ascending; their time ranges do not overlap. */
  sessions: SessionState[];
}

export interface SessionState {
  /** By (time, offset); at least one while it is open, none once it is closed. */
  events: SessionEvent[];
  /** Times of its first and last event; they outlive the events. */
  firstMs: number;
  lastMs: number;
  /** The end event that ends it, if one does: at or after its last event. */
  endMs: number | null;
  /** Its last row is out; it is known for late events only. */
  closed: boolean;
  /** Its events changed since its last row. */
  changed: boolean;
  /** Greater than every revision that these events were in. */
  nextRevision: number;
  /**
   * Its rows that stand in the sinks, by identityStartMs; several after a merge that has not been emitted yet, none once it
   * is closed.
   */
  standing: StandingRow[];
}

export interface SessionEvent {
  readonly timeMs: number;
  readonly offset: bigint;
  readonly values: FieldValues;
}

/** A row with sign +1 that no row with sign −1 has taken back. */
export interface StandingRow {
  readonly row: Row;
  /** session_start of its session's first row: with session_id, what the session is known by. */
  readonly identityStartMs: number;
}
