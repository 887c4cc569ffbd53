import type { Where } from '../errors.js';
import type { Trouble } from './errors.js';
import { HOLD, REBUILDING } from './hold-statement.js';

/** What ClickHouse itself answers, by the numbers of its error codes, which never change. */

type Explain = (words: string, where: Where) => Omit<Trouble, 'code'> & { code?: Trouble['code'] };

const MIGRATE = 'run `headrace clickhouse migrate` with the same settings';
const AGAIN = 'it is tried again';

const tableOf = ({ database, table }: Where) =>
  table === undefined ? 'the table' : `the table ${database === undefined ? '' : `${database}.`}${table}`;

const wrongUser: Explain = (_, { user }) => ({
  code: 'CLICKHOUSE_AUTH',
  what: `ClickHouse does not let the user ${user ?? 'of clickhouse.user'} in: the name or the password is wrong`,
  remedy: 'mend clickhouse.user, or the file that clickhouse.password_file names',
  nothingDone: true,
});

const noDatabase: Explain = (_, { database }) => ({
  what: `there is no database ${database ?? 'of that name'} in ClickHouse`,
  remedy: MIGRATE,
  nothingDone: true,
});

const noTable: Explain = (words) => ({
  what: `a table is missing in ClickHouse: ${words}`,
  remedy: MIGRATE,
  nothingDone: true,
});

const noColumn: Explain = (words, where) => ({
  what: `${tableOf(where)} lacks a column: ${words}`,
  remedy: MIGRATE,
  nothingDone: true,
});

const wrongType: Explain = (words, where) => ({
  what: `${tableOf(where)} has a column of another type than the model: ${words}`,
  remedy: '`headrace clickhouse migrate --dry-run` names the column and the statement that mends it',
  nothingDone: true,
});

const unreadable: Explain = (words) => ({
  what: `ClickHouse can't read the file that was sent: ${words}`,
  remedy: 'compare the file with its size in the table’s log; if it is whole, report this with the file',
  nothingDone: true,
});

const readOnly: Explain = (_, { user }) => ({
  what: `the user ${user ?? 'of clickhouse.user'} may only read (setting readonly)`,
  remedy: 'take readonly from the user’s profile, or give clickhouse.user one that may insert',
  nothingDone: true,
});

const notGranted: Explain = (words) => ({
  what: `ClickHouse does not allow it: ${words}`,
  remedy: 'GRANT what is named to clickhouse.user',
  nothingDone: true,
});

const constrained: Explain = (words) => ({
  what: `the user's profile forbids a setting that every insert needs: ${words}`,
  remedy: 'take the constraint from the profile of clickhouse.user',
  nothingDone: true,
});

const unknownSetting: Explain = (words) => ({
  what: `this ClickHouse does not know a setting: ${words}`,
  remedy: 'take it out of clickhouse.settings, or use ClickHouse 24.8 or newer',
  nothingDone: true,
});

const busy: Explain = (words) => ({
  what: `ClickHouse is busy: ${words}`,
  remedy: `${AGAIN}; if it stays, raise max_concurrent_queries or the user's quota`,
  nothingDone: true,
});

const diskFull: Explain = () => ({
  what: 'the disk of ClickHouse is full',
  remedy: `make room there; ${AGAIN}`,
  nothingDone: false,
});

const memoryFull: Explain = (words) => ({
  what: `ClickHouse is at its memory limit: ${words}`,
  remedy: `raise max_memory_usage or max_server_memory_usage, or look for the query that takes it; ${AGAIN}`,
  nothingDone: false,
});

const tooManyParts: Explain = (words) => ({
  what: `ClickHouse merges more slowly than it is written to: ${words}`,
  remedy: `raise cut_interval, so that files are fewer and larger; ${AGAIN}`,
  nothingDone: false,
});

const tookTooLong: Explain = (words) => ({
  what: `ClickHouse gave up, it took too long: ${words}`,
  remedy: `look at its load and at max_execution_time of clickhouse.user; ${AGAIN}`,
  nothingDone: false,
});

const replicas: Explain = (words) => ({
  what: `ClickHouse's replicas or its keeper are not all well: ${words}`,
  remedy: `look at system.replicas and the keeper; ${AGAIN}`,
  nothingDone: false,
});

export const HELD = {
  what: 'the table in ClickHouse is held while sums are made of it anew',
  remedy:
    'nothing: its files wait in the lake. Where no `headrace clickhouse migrate` or rebuild runs any more, run migrate: it lets the table go',
};

/** A constraint: ours holds the table, one of somebody else's refuses rows. Both come before anything is written. */
const refusedByConstraint: Explain = (words) =>
  words.includes(HOLD) || words.includes(REBUILDING)
    ? { code: 'CLICKHOUSE_UNREACHABLE', ...HELD, nothingDone: true }
    : {
        what: `a constraint of the table refuses rows: ${words}`,
        remedy: `drop the constraint: the engine adds every row or none of a file; ${AGAIN}`,
        nothingDone: true,
      };

const BY_NUMBER: ReadonlyMap<number, Explain> = new Map(
  (
    [
      [[192, 193, 194, 516], wrongUser],
      [[81], noDatabase],
      [[60], noTable],
      [[8, 16, 47], noColumn],
      // TYPE_MISMATCH, CANNOT_PARSE_…, CANNOT_CONVERT_TYPE, CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN and their like
      [[6, 26, 27, 38, 41, 43, 44, 50, 53, 70, 72, 130, 321, 349], wrongType],
      [[32, 33, 117], unreadable],
      [[164], readOnly],
      [[497], notGranted],
      [[452], constrained],
      [[469], refusedByConstraint],
      [[115], unknownSetting],
      [[201, 202], busy],
      [[243], diskFull],
      [[241], memoryFull],
      [[252], tooManyParts],
      [[159, 160, 209], tookTooLong],
      [[242, 285, 286, 289, 319, 999], replicas],
    ] as const
  ).flatMap(([numbers, explain]) => numbers.map((number) => [number, explain] as const)),
);

/** However it begins: in 26.7 the view's name follows the words of what went wrong in it. */
const IN_A_VIEW = /while pushing to view (`[^`]*`(?:\.`[^`]*`)?|[^\s,;()]*[^\s,;().:])/i;
/** The system's own message, wherever ClickHouse met it. */
const NO_SPACE = /no space left on device/i;

export function troubleOf(number: number, words: string, where: Where): Trouble {
  const found = NO_SPACE.test(words) ? diskFull : BY_NUMBER.get(number);
  const trouble = found?.(words, where);
  const view = IN_A_VIEW.exec(words)?.[1];
  if (view !== undefined && (trouble === undefined || trouble.nothingDone)) {
    return {
      code: 'CLICKHOUSE_REFUSED',
      what: `the materialized view ${view} fails and takes the insert with it: ${words}`,
      remedy: `mend the view, or drop it (DROP VIEW ${view}); ${AGAIN}, and a mended view misses nothing`,
      nothingDone: false,
    };
  }
  if (trouble !== undefined) return { code: 'CLICKHOUSE_REFUSED', ...trouble };
  return {
    code: 'CLICKHOUSE_REFUSED',
    what: `ClickHouse refused: ${words}`,
    remedy: `look at its log; ${AGAIN}`,
    nothingDone: false,
  };
}
