/**
 * What host and kernel agree on: numbers only, read by both compilers (tsc and asc), so nothing but literals here.
 *
 * A worker's memory, a shared WebAssembly.Memory reserved once:
 * ```
 *   0          the kernel's static data (a few bytes)
 *   64 KiB     ring (src/ring/layout.ts)
 *   behind it  heap of the kernel: program, windows, decompressed batch, sessions, rows under way
 * ```
 * All numbers little-endian. Addresses are u32; 0 is none.
 */

/** Where the ring lies. */
export const RING_AT = 65536;

/**
 * The program: a compiled model as the kernel reads it. Offsets are from the program's start, which is a multiple of 8.
 * Texts are UTF-8, begin at multiples of 8, and have at least 32 zero bytes behind them.
 */
export const P_FIELD_COUNT = 0;
/** Fields whose values a session keeps: those that a column reads. At most LOGGED_MAX. */
export const P_LOGGED_COUNT = 4;
/** How many of these, the first ones, are kept for every event; of the others only what `first` can need. */
export const P_TRACKED_COUNT = 8;
export const P_KEY_FIELD = 12;
export const P_TIME_FIELD = 16;
/** TIME_… */
export const P_TIME_FORMAT = 20;
export const P_COLUMN_COUNT = 24;
/** Condition of the end event, −1: the model has none. */
export const P_END_CONDITION = 28;
/** Offset of the table of conditions. */
export const P_CONDITIONS = 32;
/** Offset of the field table. */
export const P_FIELDS = 36;
/** Offset of the column table. */
export const P_COLUMNS = 40;
/** Offset of the root of the key tree. */
export const P_KEYS = 44;
/** What a list, set or records may take of a row, bytes. */
export const P_COLLECTION_BYTES = 48;
export const P_SIGN_COLUMN = 52;
export const P_REVISION_COLUMN = 56;
export const P_BYTES = 60;
/** i64, ms; the longest that P_GAP_FIELD may say, where there is one */
export const P_GAP = 64;
export const P_DISORDER = 72;
export const P_LATENESS = 80;
export const P_MAX_FUTURE = 88;
/** Offset of a table of u32, by place in the log: the field. */
export const P_LOGGED_FIELDS = 96;
export const P_SESSION_START_COLUMN = 100;
/** i64, ms */
export const P_MAX_DURATION = 104;
/** Condition of the start event, −1: the model has none. */
export const P_START_CONDITION = 112;
/** 1: the end event belongs to the session that it ends. */
export const P_END_COUNTED = 116;
/** Offset of the zone whose midnights end sessions: count u32 │ 0 u32 │ count × (from i64 │ local time − UTC i64), ms; 0: none. */
export const P_ZONE = 120;
/** Places in the log whose change begins a session: their number, and the offset of them, u32 each. */
export const P_CHANGE_COUNT = 124;
export const P_CHANGE_PLACES = 128;
/** A field that no event has, behind all others: its EVENT_… flags; −1: the model needs none. */
export const P_FLAGS_FIELD = 132;
export const P_CONDITION_COUNT = 136;
/** Fields that are made of where an event lies, −1: no column asks for it. */
export const P_OFFSET_FIELD = 140;
export const P_PARTITION_FIELD = 144;
/** Condition of the filter, −1: the model has none. */
export const P_FILTER = 148;
/** Offset of what a made key is of (count u32 │ 0 u32 │ count × (field u32 │ its type u32)), 0: the key's field is its text. */
export const P_KEY_PARTS = 152;
/** Place + 1 in the log of what events are told apart by, 0: all are in the columns. */
export const P_DEDUPLICATE = 156;
/** Offset of the fields that are masked (count u32 │ 0 u32 │ count × (field u32 │ MASK_… u32)), 0: none is. */
export const P_MASKS = 160;
/** Offset of what hashes are made with (program-mask.ts), 0: nothing is hashed. */
export const P_HASHING = 164;
/** VALUE_… */
export const P_VALUE_FORMAT = 168;
/** The field that says how long an event holds its session open, −1: all do for as long. Its unit in ms u32; i64, ms without a value */
export const P_GAP_FIELD = 172;
export const P_GAP_DEFAULT = 176;
export const P_GAP_UNIT = 184;
export const P_HEADER_BYTES = 192;

export const KEY_PARTS = 8;
export const KEY_PART_BYTES = 8;
export const MASKS = 8;
export const MASK_ENTRY_BYTES = 8;
export const MASK_TRUNCATE_IP = 0;
export const MASK_HASH = 1;
/** Of a hash: so many characters are kept. */
export const HASH_CHARACTERS = 32;
/** The key as HMAC-SHA-256 takes it, 64 bytes │ the constants of SHA-256: 64 × u32 │ its first state: 8 × u32 */
export const HASHING_KEY = 0;
export const HASHING_CONSTANTS = 64;
export const HASHING_STATE = 320;
export const HASHING_BYTES = 352;

export const ZONE_ENTRIES = 8;
export const ZONE_ENTRY_BYTES = 16;

/** What an event is for its session: it begins one, it ends one and belongs to it. */
export const EVENT_STARTS = 1;
export const EVENT_ENDS = 2;

export const VALUE_JSON = 0;
export const VALUE_FRAMED_JSON = 1;
/** The host reads it. */
export const VALUE_MESSAGE = 2;

export const TIME_ISO8601 = 0;
export const TIME_EPOCH_MS = 1;
export const TIME_EPOCH_S = 2;

/** A field: type u32 │ required u32 │ place in a session's log i32, −1: not kept │ 0 u32 */
export const FIELD_BYTES = 16;
export const FIELD_TYPE = 0;
export const FIELD_REQUIRED = 4;
export const FIELD_LOGGED = 8;

export const TYPE_STRING = 0;
export const TYPE_NUMBER = 1;
export const TYPE_UINT32 = 2;
export const TYPE_TIME = 3;
/** 1 or 0. */
export const TYPE_BOOLEAN = 4;
export const TYPE_INT32 = 5;

/** As many bits as a log entry's mask has. */
export const LOGGED_MAX = 56;

/**
 * A node of the key tree, for one object of the event: count u32 │ 0 u32 │ count × key
 * A key: offset of its text u32 │ bytes u32 │ field i32 (−1: none ends here) │ offset of the node below u32 (0: none)
 */
export const NODE_COUNT = 0;
export const NODE_KEYS = 8;
export const KEY_BYTES = 16;
export const KEY_TEXT = 0;
export const KEY_LENGTH = 4;
export const KEY_FIELD = 8;
export const KEY_NODE = 12;

/** A text set: count u32 │ 0 u32 │ count × (offset u32 │ bytes u32) */
export const SET_COUNT = 0;
export const SET_TEXTS = 8;
export const SET_TEXT_BYTES = 8;

/**
 * A condition: kind u32 │ field i32 │ place in the log + 1 u32, 0: not kept │ argument u32 │ least f64 │ most f64
 * Argument: offset of its text set, or of its parts (count u32 │ 0 u32 │ count × condition u32). Parts come before their whole.
 */
export const CONDITION_BYTES = 32;
export const CONDITION_KIND = 0;
export const CONDITION_FIELD = 4;
export const CONDITION_PLACE = 8;
export const CONDITION_ARGUMENT = 12;
export const CONDITION_LEAST = 16;
export const CONDITION_MOST = 24;
export const PARTS = 8;

export const IS_ONE_OF = 0;
export const IS_NONE_OF = 1;
export const IS_PRESENT = 2;
export const IS_ABSENT = 3;
/** least ≤ the value ≤ most; infinite where there is no bound. */
export const IS_WITHIN = 4;
/** The truth that `least` is. */
export const IS_TRUTH = 5;
export const IS_ALL = 6;
export const IS_ANY = 7;

/**
 * A formula: count u32 │ 0 u32 │ count × (code u32 │ column u32 │ number f64), operands before what is done with them.
 */
export const FORMULA_STEPS = 8;
export const FORMULA_STEP_BYTES = 16;
/** Values that wait at the same time: more than a formula has parts. */
export const FORMULA_STACK = 512;
export const CODE_NUMBER = 0;
export const CODE_COLUMN = 1;
export const CODE_ADD = 2;
export const CODE_SUBTRACT = 3;
export const CODE_MULTIPLY = 4;
export const CODE_DIVIDE = 5;
export const CODE_NEGATE = 6;
export const CODE_EQUAL = 7;
export const CODE_UNEQUAL = 8;
export const CODE_BELOW = 9;
export const CODE_AT_MOST = 10;
export const CODE_AND = 11;
export const CODE_OR = 12;
export const CODE_NOT = 13;
export const CODE_FLOOR = 14;
export const CODE_ROUND = 15;
export const CODE_MIN = 16;
export const CODE_MAX = 17;
export const CODE_ABS = 18;

/** What concat joins: count u32 │ 0 u32 │ offset of the separator u32 │ its bytes u32 │ count × column u32 */
export const JOINED_SEPARATOR = 8;
export const JOINED_SEPARATOR_BYTES = 12;
export const JOINED_COLUMNS = 16;

/** A template: count u32 │ 0 u32 │ count × (kind u32 │ offset u32 │ bytes u32 │ 0 u32) */
export const TEMPLATE_PARTS = 8;
export const TEMPLATE_PART_BYTES = 16;
export const PART_LITERAL = 0;
export const PART_KEY = 1;
export const PART_START_MS = 2;

/**
 * Members of a record: count u32 │ 0 u32 │ count × (offset of its name u32 │ bytes u32 │ place in the log + 1 u32 │ type u32)
 * The name as JSON has it, with what separates it from its neighbours: `"t":`, `,"url":`. Place 0: the event's time.
 */
export const MEMBER_COUNT = 0;
export const MEMBERS = 8;
export const MEMBER_BYTES = 16;
export const MEMBER_NAME = 0;
export const MEMBER_NAME_LENGTH = 4;
export const MEMBER_PLACE = 8;
export const MEMBER_TYPE = 12;

/**
 * A column: op u32 │ type u32 │ field i32 │ limit u32 │ argument u32 │ nullable u32 │ by u32 │ where u32 │ place u32 │ of u32
 * Argument: offset of its template (session_id), members (records), constant (a text set of one, or f64), formula or what it
 * joins. By: a place in the log + 1, 0: none. Where: a condition + 1, 0: none. Place: the field's in the log, or PLACE_TIME.
 * The field of records is the one that must be present, −1: none. Of: the column whose overflow it is. A list or set of type
 * string is JSON.
 */
export const COLUMN_BYTES = 40;
export const COLUMN_OP = 0;
export const COLUMN_TYPE = 4;
export const COLUMN_FIELD = 8;
export const COLUMN_LIMIT = 12;
export const COLUMN_ARGUMENT = 16;
export const COLUMN_NULLABLE = 20;
export const COLUMN_BY = 24;
export const COLUMN_WHERE = 28;
export const COLUMN_PLACE = 32;
export const COLUMN_OF = 36;
/** The event's own time, which lies beside its values. */
export const PLACE_TIME = 0xfffffffe;

export const OP_KEY = 0;
export const OP_SESSION_ID = 1;
export const OP_SESSION_START = 2;
export const OP_SESSION_END = 3;
export const OP_DURATION_SEC = 4;
export const OP_COUNT = 5;
export const OP_COUNT_IF = 6;
export const OP_FIRST = 7;
export const OP_LAST = 8;
export const OP_COUNT_DISTINCT = 9;
export const OP_LIST = 10;
export const OP_SET = 11;
export const OP_CREATED_AT = 12;
export const OP_BATCH_ID = 13;
export const OP_FILE_ID = 14;
export const OP_CLOSED_BY = 15;
export const OP_REVISION = 16;
export const OP_SIGN = 17;
export const OP_COUNT_VALUES = 18;
export const OP_RECORDS = 19;
export const OP_MIN = 20;
export const OP_MAX = 21;
export const OP_SUM = 22;
export const OP_AVG = 23;
export const OP_ARGMIN = 24;
export const OP_ARGMAX = 25;
export const OP_CONSTANT = 26;
export const OP_CONCAT = 27;
export const OP_CALCULATE = 28;
export const OP_OVERFLOW = 29;

/** As it stands in files; the sign's is wider, see program.ts. */
export const COLUMN_INT8 = 0;
export const COLUMN_UINT16 = 1;
export const COLUMN_UINT32 = 2;
export const COLUMN_UINT64 = 3;
export const COLUMN_FLOAT = 4;
export const COLUMN_TIME = 5;
export const COLUMN_STRING = 6;
export const COLUMN_LIST = 7;
export const COLUMN_INT16 = 8;
export const COLUMN_INT32 = 9;
export const COLUMN_INT64 = 10;
export const COLUMN_UINT8 = 11;
export const COLUMN_BOOL = 12;

/**
 * The values of an event: 8 bytes a field, by field index.
 *   string                 address u32 │ bytes u32      null: both 0 (an empty string has an address)
 *   all others             f64                          null: NULL_NUMBER_BITS; time in ms since 1970, truths 1 and 0
 */
export const VALUE_BYTES = 8;
/** Upper half of NULL_NUMBER_BITS 0x7ff8000000000000, a NaN; no JSON number is one. */
export const NULL_NUMBER_HIGH = 0x7ff80000;

/** Tags of a row's canonical bytes; src/reference/row-crc.ts has the whole form. */
export const TAG_NULL = 0;
export const TAG_INTEGER = 1;
export const TAG_FLOAT = 2;
export const TAG_STRING = 3;
export const TAG_LIST = 4;

/** What the host says of a record that it was asked about: nothing (more) of it counts; an event is there; one, and more may follow. */
export const DECIDED_NONE = 0;
export const DECIDED_LAST = 1;
export const DECIDED_MORE = 2;

/** How a walk over a batch's records ended; src/kernel/bytes.ts has the words. */
export const FAULT_NONE = 0;

/** closed_by, by number. */
export const CLOSED_BY_GAP = 0;
export const CLOSED_BY_END_EVENT = 1;
export const CLOSED_BY_END_OF_INPUT = 2;
export const CLOSED_BY_EARLY = 3;
export const CLOSED_BY_MEMORY = 4;
export const CLOSED_BY_MAX_DURATION = 5;
export const CLOSED_BY_SPLIT = 6;

/** What lies behind every text and record that is scanned: zero bytes that may be read. */
export const READ_AHEAD_BYTES = 64;
