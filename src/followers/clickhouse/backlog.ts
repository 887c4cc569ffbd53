import type { Clock } from '../../clock.js';
import type { Action } from '../../lake/delta/actions.js';
import type { PlainLog } from '../../telemetry/log.js';
import { filesOfVersion } from '../ledger-files.js';

const PROGRESS_MS = 5_000;
/** Fewer files than these behind is no backlog, but the way things go. */
const BACKLOG_FILES = 50;
const VERSIONS_COUNTED_MAX = 1_000;

/** A line now and then while there is a backlog. */
export class BacklogLines {
  readonly #log: PlainLog;
  readonly #clock: Clock;
  #told: { atMs: number; rows: number };

  constructor(log: PlainLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#told = { atMs: clock.monotonicMs(), rows: 0 };
  }

  /** `rows`: inserted so far. */
  tell(behind: { files: number; versions: number }, rows: number): void {
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = nowMs - this.#told.atMs;
    const isBacklog = behind.files + behind.versions >= BACKLOG_FILES;
    if (isBacklog && elapsedMs < PROGRESS_MS) return;
    const perSecond = Math.round(((rows - this.#told.rows) * 1_000) / elapsedMs);
    this.#told = { atMs: nowMs, rows };
    if (!isBacklog) return;
    this.#log.info(
      { files_behind: behind.files, versions_unread: behind.versions, rows_per_second: perSecond },
      'ClickHouse is catching up from the lake',
    );
  }
}

/**
 * Files with one of these lanes in versions from `from` to `to`; of a long way the rest counts as a file a version, and so does
 * a version that can't be read: this is for telling only, and an orderly end must not fail of it.
 */
export async function countFiles(
  lanes: ReadonlySet<number>,
  from: number,
  to: number,
  readVersion: (version: number) => Promise<readonly Action[] | null>,
): Promise<number> {
  const until = Math.min(to, from + VERSIONS_COUNTED_MAX);
  let files = 0;
  for (let version = from; version <= until; version++) {
    const actions = await readVersion(version).catch(() => null);
    if (actions === null) files++;
    const added = filesOfVersion(version, actions ?? []).files;
    files += added.filter((file) => file.lanes.some((lane) => lanes.has(lane))).length;
  }
  return files + to - until;
}
