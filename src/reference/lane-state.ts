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
  /** By (time, offset); at least one. */
  events: SessionEvent[];
  /** Times of its first and last event. */
  firstMs: number;
  lastMs: number;
  /**
   * The end event that ends it, if one does, or the last millisecond before the session that a start event or a change cut
   * off directly behind it: at or after its last event.
   */
  endMs: number | null;
  /** `endMs` is the latter. */
  endsBySplit: boolean;
  /** The watermark has passed what could join it in time, and its row is out; it is kept for late events. */
  closed: boolean;
  /** Its events changed since its last row. */
  changed: boolean;
  /** Greater than every revision that these events were in. */
  nextRevision: number;
  /** Its rows that stand in the sinks, by identityStartMs; several after a merge that has not been emitted yet. */
  standing: StandingRow[];
}

export interface SessionEvent {
  readonly timeMs: number;
  readonly offset: bigint;
  /** Until when it holds its session open: its time and its gap (windows.ts). */
  readonly heldMs: number;
  readonly values: FieldValues;
  /** It begins a new session: the model's start event. */
  readonly starts?: boolean;
  /** It ends its session, and belongs to it: a counted end event. */
  readonly ends?: boolean;
}

/** A row with sign +1 that no row with sign −1 has taken back. */
export interface StandingRow {
  readonly row: Row;
  /** session_start of its session's first row: with session_id, what the session is known by. */
  readonly identityStartMs: number;
}
