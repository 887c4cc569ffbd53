import type { Clock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import type { PlainLog } from '../../telemetry/log.js';
import type { LedgerFile } from '../ledger-files.js';
import type { FollowerTrouble } from '../trouble.js';
import { hasRestartedSince, isTokenGood, type ServerFacts } from './doubt.js';
import type { FileInserter } from './file-inserter.js';
import type { Doubtful, FollowerSchedule } from './schedule.js';
import type { StandstillWatch } from './standstill.js';
import type { FollowerTables } from './tables.js';

/**
 * Decides of files in doubt whether they are sent again. While ClickHouse still tells a repetition by its token they simply
 * are. Afterwards it is asked for their rows; where none carries the file's id, merges may have taken them all, so it is
 * asked for what a row of the file did to the sum of signs.
 */
export interface SettlementOptions {
  tables: FollowerTables;
  inserter: FileInserter;
  schedule: FollowerSchedule;
  trouble: FollowerTrouble;
  workerOf(file: LedgerFile): number | undefined;
  /** There is a done row for it. */
  foundDone(path: string): void;
  /** Inserts for which ClickHouse tells a repetition. */
  window: number;
  standstill: StandstillWatch;
  clock: Clock;
  log: PlainLog;
}

export class Settlement {
  readonly #options: SettlementOptions;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  async settle(doubtful: readonly Doubtful[]): Promise<void> {
    if (doubtful.length === 0) return;
    // somebody else may have brought them in, by their token or, in a rebuild, without it: a done row counts first
    const open = await this.#withoutDone(doubtful);
    const { old, facts } = await this.#sendYoung(open);
    if (old.length > 0) await this.#ask(old, facts);
  }

  /**
   * Another engine may have done it meanwhile, and gone on. Files whose intent ClickHouse has forgotten get one of a time at
   * which no token is good, so that whoever finds it asks too.
   */
  async #withoutDone(doubtful: readonly Doubtful[]): Promise<Doubtful[]> {
    const { tables, schedule, foundDone } = this.#options;
    const states = await tables.states(doubtful.map(({ file }) => file.path));
    for (const [path, { done }] of states) if (done) foundDone(path);
    const forgotten = doubtful.map(fileOf).filter(({ path }) => !states.has(path));
    await tables.writeStates('intent', forgotten, 0);
    return doubtful.filter(({ file, attempt }) => {
      const state = states.get(file.path);
      if (state === undefined || state.done) return state === undefined;
      // somebody began it anew
      const isNews = (state.attempt ?? 0) !== attempt;
      if (isNews) schedule.foundIntent(file.path, state.atMs, state.attempt);
      return !isNews;
    });
  }

  /** Those whose token is good go again; returns the others, and what the server said of itself. */
  async #sendYoung(doubtful: readonly Doubtful[]): Promise<{ old: Doubtful[]; facts: ServerFacts | null }> {
    const { tables, schedule, standstill, window, clock } = this.#options;
    const known = doubtful.flatMap(({ intentAtMs }) => intentAtMs ?? []);
    if (known.length === 0) return { old: [...doubtful], facts: null };
    const askedMs = clock.monotonicMs();
    const facts = await tables.facts(Math.min(...known));
    if (standstill.since(askedMs)) return { old: [], facts };
    const old = doubtful.filter(({ file, intentAtMs }) => {
      const good = isTokenGood(facts, intentAtMs, window);
      if (good) schedule.settled(file.path, 'send', clock.monotonicMs());
      return !good;
    });
    return { old, facts };
  }

  async #ask(doubtful: readonly Doubtful[], facts: ServerFacts | null): Promise<void> {
    const { tables, schedule, standstill, clock } = this.#options;
    const askedMs = clock.monotonicMs();
    const present = await tables.present(doubtful.map(fileOf));
    const maybeMissedByViews: LedgerFile[] = [];
    const lostWithServer: Doubtful[] = [];
    for (const each of doubtful) {
      const { file, intentAtMs } = each;
      const isIn = present.has(file.fileId) || (await this.#left(file));
      if (isIn === null || standstill.since(askedMs)) continue;
      // of whom nobody knows when it was tried, it was not in this run of the server: whoever tries writes the time first
      const isUnknown = (intentAtMs ?? 0) === 0;
      const mayLackRows = isUnknown || (facts !== null && hasRestartedSince(facts, intentAtMs));
      if (!isIn && tables.keepsTokens !== true && mayLackRows) {
        lostWithServer.push(each);
        continue;
      }
      schedule.settled(file.path, isIn ? 'present' : 'send', clock.monotonicMs());
      if (!isIn) continue;
      this.#forget(file);
      if (intentAtMs !== null) maybeMissedByViews.push(file);
    }
    if (maybeMissedByViews.length > 0) await this.#warnOfViews(maybeMissedByViews);
    if (lostWithServer.length > 0)
      await this.#beginAnew(lostWithServer, facts?.nowMs ?? (await tables.serverNowMs()));
  }

  /**
   * Files whose insert ended with the server, without rows. The server may have noted the token all the same, so they go under
   * the next one, which is the same for whoever comes to this; the intent row says so before it is used.
   */
  async #beginAnew(lost: readonly Doubtful[], serverMs: number): Promise<void> {
    const { tables, schedule, standstill, clock } = this.#options;
    const askedMs = clock.monotonicMs();
    const anew = lost.map(({ file, attempt }) => ({ ...file, attempt: attempt + 1 }));
    await tables.writeStates('intent', anew, serverMs);
    if (standstill.since(askedMs)) return;
    for (const { path, attempt } of anew) schedule.begunAnew(path, attempt, serverMs, clock.monotonicMs());
  }

  /** Has the file left its trace, though no row with its id? Null: it can't be told now. */
  async #left(file: LedgerFile): Promise<boolean | null> {
    const { tables, inserter, schedule, trouble, workerOf } = this.#options;
    const worker = workerOf(file);
    if (worker === undefined) return null;
    try {
      const probe = await inserter.probe(worker, file);
      if (probe === null) return true;
      const sum = await tables.signOf(probe, file.date);
      return probe.sign > 0 ? sum > 0 : sum <= 0;
    } catch (error) {
      if (!(error instanceof HeadraceError) || error.code !== 'LAKE_IO') throw error;
      schedule.postponed(file.path, trouble.file(file.path, error, false));
      return null;
    }
  }

  #forget(file: LedgerFile): void {
    const worker = this.#options.workerOf(file);
    if (worker !== undefined) this.#options.inserter.forget(worker, [file.path]);
  }

  /** That the rows are there says nothing of the views, and the token that would bring them theirs is no more. */
  async #warnOfViews(files: readonly LedgerFile[]): Promise<void> {
    const { tables, log } = this.#options;
    const views = await tables.views();
    const warn = (ours: boolean, remedy: string) => {
      const names = views.filter(({ isOurs }) => isOurs === ours).map(({ name }) => name);
      if (names.length === 0) return;
      const fields = { views: names.join(', '), files: files.length, path: files[0]!.path };
      log.warn(fields, `${LACKING} ${remedy}`);
    };
    warn(true, REBUILD_OURS);
    warn(false, REBUILD_OWN);
  }
}

const LACKING =
  'files came into the table by an insert whose end nobody saw: these materialized views may lack their rows.';
const REBUILD_OURS =
  'Run `headrace clickhouse rebuild --views --yes` with the same settings: it makes them anew, engines may go on';
const REBUILD_OWN =
  'Rebuild each: stop the engine, TRUNCATE its target, INSERT INTO it the SELECT of the view, start the engine';

function fileOf({ file }: Doubtful): LedgerFile {
  return file;
}
