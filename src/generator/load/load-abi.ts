/**
 * What the load's module (`assembly/`) and its host both know of its memory: numbers of places, in bytes. Both compilers read
 * this file.
 */

/** Of all partitions: where tables lie, and the layout of an event. u32 each. */
export const M_PROFILES = 0;
export const M_PROFILE_COUNT = 4;
export const M_FILMS = 8;
export const M_SCENES = 12;
export const M_USER_FIRST = 16;
export const M_DIGITS = 20;
export const M_USER_NUMBER_MIN = 24;
export const M_KEY_BYTES = 28;
export const M_BYTES_MIN = 32;
/** Places in the table of pieces. */
export const M_BEFORE_ID = 36;
export const M_BEFORE_TIME = 40;
export const M_BEFORE_FIRST = 44;
export const M_BEFORE_SECOND = 48;
export const M_BEFORE_TAIL = 52;
export const M_PIECES = 56;
export const M_PIECE_COUNT = 60;
export const M_PARTITIONS = 64;
export const M_START_MS = 72; // f64
export const M_AWAY_MS_MIN = 80; // f64
export const M_BREAK_MS_MEAN = 88; // f64
/** Per good event: shares of what is disordered, and of late, duplicated, malformed, future records that come on top. f64 each. */
export const M_DISORDERED = 96;
export const M_EXTRAS = 104;
export const M_IS_DIRTY = 136; // u32
/** Where a value that the host makes is put. */
export const M_OTHER = 140;
/** Of the batch that was written last: records u32, first time f64, greatest time f64. */
export const M_RECORDS = 144;
export const M_FIRST_MS = 152;
export const M_GREATEST_MS = 160;
export const MODEL_BYTES = 192;

/** A profile: first film u32, number of films u32, mean and greatest duration f64. */
export const PROFILE_BYTES = 32;
export const PROFILE_FILM = 0;
export const PROFILE_FILMS = 4;
export const PROFILE_MEAN_MS = 8;
export const PROFILE_MAX_MS = 16;
/** A film: first scene u32, number of scenes u32, duration f64. */
export const FILM_BYTES = 16;
export const FILM_SCENE = 0;
export const FILM_SCENES = 4;
export const FILM_MS = 8;
/** A scene: its fields from and to (places) u32, bytes of its tail u32, pause f64. */
export const SCENE_BYTES = 32;
export const SCENE_FROM = 0;
export const SCENE_TO = 4;
export const SCENE_TAIL_BYTES = 8;
export const SCENE_PAUSE_MS = 16;
/** A field: the pieces of the whole, of its name, of its value. */
export const FIELD_BYTES = 12;
/** A piece: where its text lies u32, its bytes u32, where it stood last in the content i32. */
export const PIECE_BYTES = 16;
export const PIECE_TEXT = 0;
export const PIECE_LENGTH = 4;
export const PIECE_STOOD = 8;

/** A partition: its words of chance u32 × 4, … */
export const P_WORDS = 0;
export const P_NUMBER = 16;
export const P_USERS = 20;
/** … its users' states and the wheel, the slot under way, its first user, how many are due in it and how many had their turn, … */
export const P_STATE = 24;
export const P_SLOTS = 28;
export const P_SLOT = 32;
export const P_FIRST = 36;
export const P_IN_SLOT = 40;
export const P_TURN = 44;
/** … how many records it gives, how many it gave, and of these how many of each kind of dirt (f64: the order of dirt.ts), … */
export const P_RECORDS_MAX = 48;
export const P_RECORDS = 56;
export const P_DISORDERED = 64;
export const P_EXTRAS = 72;
/** … what is still to come for the event under way (late, duplicated, malformed, future: u32 each) and its time f64, … */
export const P_PENDING = 104;
export const P_TIME_MS = 120;
/** … and the record to be written. */
export const P_SCENE = 128;
export const P_USER_NUMBER = 132;
export const P_EVENT_MS = 136;
export const P_PRODUCED_MS = 144;
export const P_EVENT_ID = 160;
export const P_SESSION_ID = 176;
export const PARTITION_BYTES = 192;

/** A user: the next one of the slot, when he is due (slots since the start), film u16 and step u16, his number, his session's id. */
export const USER_BYTES = 32;
export const U_NEXT = 0;
export const U_DUE = 4;
export const U_FILM = 8;
export const U_STEP = 10;
export const U_NUMBER = 12;
export const U_SESSION = 16;

export const SLOT_MS = 100;
export const SLOTS = 131_072;

/** What `take` says: the record is the draft's event, or one whose value the host makes of it. */
export const TAKEN_EVENT = 0;
export const TAKEN_MALFORMED = 1;

export const DISORDER_MS_MAX = 5_000;
/** A visit takes six hours at most, then the gap and the lateness that models allow: what is older is late. */
export const LATE_MS_MIN = 28_800_000;
export const LATE_MS_MAX = 86_400_000;
/** Models take an hour. */
export const FUTURE_MS_MIN = 7_200_000;
export const FUTURE_MS_MAX = 86_400_000;
/** What is late or from the future in the first records of a partition would be its first word on what time it is. */
export const CLEAN_RECORDS = 20;

/** Content of a batch; some 400 events. */
export const BATCH_PLAIN_BYTES = 262_144;
/** No record is longer; see EVENT_BYTES_MAX of slab.ts. */
export const RECORD_BYTES_MAX = 5_120;
