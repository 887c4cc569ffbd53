/**
 * What a lane's memory looks like. Sessions and end markers are nodes of the lane's wheel, which orders them by the time at
 * which there is something to do with them.
 *
 *   key      bytes (31 bits, the highest: KEY_KEPT) │ first session u32 │ first end marker u32 │ text
 *   node     0 previous in its bucket │ 4 next │ 8 bucket │ 12 flags │ 16 key │ 20 next of its key (later in time)
 *   session  node │ 24 first event i64 │ 32 last event i64 │ 40 log │ 44 its bytes │ 48 events │ 52 rest
 *            56 by value whose change begins a session: entry of its last one u32 │ of the first one of the first moment u32
 *   marker   node │ 24 time i64
 *   rest     0 end event or split i64 (NONE) │ 8 next revision u32 │ 12 standing rows u32 │ standing × (identity start i64 │ row u32 │ made of u32)
 * A standing row 0 is virtual: made of the first events (28 bits, above them why it was
 * let out). Times are ms since 1970.
 */

/** No time. */
export const NONE: i64 = i64.MIN_VALUE;

export const KEY_LENGTH: usize = 0;
/** Set alike in all keys that are in the snapshot under way, or in all when none is (snapshot.ts). */
export const KEY_KEPT: u32 = 0x80000000;
export const KEY_SESSIONS: usize = 4;
export const KEY_MARKERS: usize = 8;
export const KEY_TEXT: usize = 12;

export const NODE_PREVIOUS: usize = 0;
export const NODE_NEXT: usize = 4;
export const NODE_BUCKET: usize = 8;
export const NODE_FLAGS: usize = 12;
export const NODE_KEY: usize = 16;
export const NODE_LATER: usize = 20;

export const FLAG_CLOSED: u32 = 1;
export const FLAG_CHANGED: u32 = 2;
export const FLAG_MARKER: u32 = 4;
/** Its end is a split: the last ms before the next session, which is cut off by what its first moment says. */
export const FLAG_SPLIT: u32 = 8;
/** Its last moment holds an end event that belongs to it; its first one a start event. */
export const FLAG_ENDED: u32 = 16;
export const FLAG_STARTS: u32 = 32;
/** The event that came first has all values that `first` alone reads: those of later ones need no look. */
export const FLAG_COMPLETE: u32 = 64;
/** Of these, what a snapshot says of a session. */
export const FLAGS_SAID: u32 = FLAG_CLOSED | FLAG_CHANGED | FLAG_SPLIT;
/** The flags of a session have the size of its log's block above them; ROOM_LARGE: it has to be asked for. */
export const FLAGS_ALL: u32 = 0xff;
export const ROOM_SHIFT: u32 = 8;
export const ROOM_LARGE: u32 = 0xffffff;

export const SESSION_FIRST: usize = 24;
export const SESSION_LAST: usize = 32;
export const SESSION_LOG: usize = 40;
export const SESSION_LOG_BYTES: usize = 44;
export const SESSION_EVENTS: usize = 48;
export const SESSION_REST: usize = 52;
export const SESSION_BYTES: u32 = 56;
export const SESSION_VALUES: usize = 56;
export const SESSION_VALUE_BYTES: u32 = 8;

export const MARKER_TIME: usize = 24;
export const MARKER_BYTES: u32 = 32;

export const REST_END: usize = 0;
export const REST_REVISION: usize = 8;
export const REST_STANDING: usize = 12;
export const REST_ROWS: usize = 16;
export const STANDING_BYTES: u32 = 16;
export const STANDING_IDENTITY: usize = 0;
export const STANDING_ROW: usize = 8;
export const STANDING_MADE_OF: usize = 12;

/** 2^10 buckets, so that twice the time for which a session is known fits. */
export const WHEEL_BUCKETS: u32 = 1024;

export const LANE_SLOTS: usize = 0;
export const LANE_MASK: usize = 4;
export const LANE_KEYS: usize = 8;
export const LANE_OPEN: usize = 12;
export const LANE_WATERMARK: usize = 16;
/** The earliest bucket that may hold something due, by its number since 1970. */
export const LANE_BUCKET: usize = 24;
export const LANE_SESSION_BYTES: usize = 32;
export const LANE_CLAMPED: usize = 40;
export const LANE_WHEEL: usize = 48;
/** Rows under way: addresses u32, their number, the room for them, and Σ CRC-32C. */
export const LANE_ROWS: usize = 52;
export const LANE_ROW_COUNT: usize = 56;
export const LANE_ROW_ROOM: usize = 60;
export const LANE_CRC: usize = 64;
/** All lanes are linked, for the sweep. */
export const LANE_NEXT: usize = 72;
export const LANE_PREVIOUS: usize = 76;
/** The snapshot under way: keys that are not in it yet, their KEY_KEPT when they are, the slot to go on at. */
export const LANE_UNKEPT: usize = 80;
export const LANE_KEPT: usize = 84;
export const LANE_KEEP_AT: usize = 88;
/** Events that the filter left out, u64. */
export const LANE_FILTERED: usize = 96;
/** What a restore under way remembers (restored-values.ts), 0: nothing. */
export const LANE_REMEMBERED: usize = 104;
export const LANE_BYTES: u32 = 112;
