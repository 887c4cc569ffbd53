import type { CompiledModel, Row } from '#src/model/types.js';
import { type Random, seededRandom } from '#src/random.js';

/**
 * As many sessions as are wanted, each of its own user and time, with what real ones hold beside it: those of a workload over and over
 * would be packed far better than any day's.
 */

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(2026, 0, 30);
const SESSIONS_PER_USER = 3;
/** Of a file: it has the sessions that ended within so long, and those began some time before. */
const SPAN_MS = 1_800_000;

export class Sessions {
  readonly #rows: readonly Row[];
  readonly #at: { id: number; user: number; start: number; end: number };
  readonly #random: Random = seededRandom(3);

  constructor({ columns, columnIndex }: CompiledModel, rows: readonly Row[]) {
    const at = (name: string) => columns.findIndex((column) => column.name === name);
    this.#rows = rows;
    this.#at = {
      id: at('session_id'),
      user: at('user_id'),
      start: columnIndex.session_start,
      end: at('session_end'),
    };
  }

  /** The next one, `share` of the day gone. */
  next(share: number): Row {
    const random = this.#random;
    const row = this.#rows[random.below(this.#rows.length)]!;
    const { id, user, start, end } = this.#at;
    const name = `user_${100_000 + random.below(300_000 / SESSIONS_PER_USER)}`;
    const startMs = FIRST_MS + Math.floor(share * (DAY_MS - SPAN_MS)) + random.below(SPAN_MS);
    const endMs = startMs + (row[end] as number) - (row[start] as number);
    return row.with(id, `${name}:${startMs}`).with(user, name).with(start, startMs).with(end, endMs);
  }
}
