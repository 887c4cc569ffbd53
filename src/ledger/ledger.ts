import type { Clock } from '../clock.js';
import { crashPoint } from '../crash-points.js';
import { HeadraceError } from '../errors.js';
import type { Action } from '../lake/delta/actions.js';
import { checkpointInterval } from '../lake/delta/checkpoint.js';
import { refuseForeignChange } from '../lake/delta/foreign-change.js';
import type { CommitOutcome, DeltaLog, OpenOptions } from '../lake/delta/log.js';
import { logRetentionMs } from '../lake/delta/retention.js';
import { type RewriteDraft, rewriteActions } from '../lake/maintenance/rewrite-actions.js';
import type { Random } from '../random.js';
import type { Log } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { ENTRY_FORMAT, refuseNewerFormat } from './entry-format.js';
import { appIdOf, type LaneHistory, LedgerHistory, type VersionFacts } from './history.js';
import { mustList } from './protocol.js';
import { Removals } from './removals.js';
import type { RewrittenFile } from './rewrites.js';
import { otherSemantics } from './semantics.js';
import type { CutEntry, LedgerEntry, MaintenanceEntry, SealedFile } from './types.js';

/**
 * The ledger: the Delta log of the sessions table, read in order and written put-if-absent. One commit at a time; every
 * version below the one that is put has been looked at (rule 6).
 */
export interface LedgerOptions {
  log: Log;
  clock: Clock;
  random: Random;
  /** Id of this process. */
  engineId: string;
  group: string;
  topic: string;
  topicId: string;
  /** Hash of all that decides a row and is not in the log. */
  semantics: string;
  version: string;
  /** A version that another engine wrote, with the lanes whose `txn` it carries. Called before the next put. */
  onForeign(version: number, partitions: number[]): void;
}

/** What one version is to say. */
export interface CommitDraft {
  files: readonly SealedFile[];
  lanes: readonly { partition: number; to: bigint }[];
  cuts: CutEntry[];
  /** Lanes that the operator moved: their offsets may be lower than before. */
  moved?: readonly number[];
}

const BACKOFF_MS_MAX = 5_000;
/** After a lost race, so that two engines do not meet again at once. */
const CONFLICT_WAIT_MS = 10;

export class Ledger {
  #history: LedgerHistory;
  readonly #delta: DeltaLog;
  readonly #options: LedgerOptions;
  readonly #repeats: RepeatLimitedLog;
  readonly #watches = new Set<Removals>();
  #queue: Promise<unknown> = Promise.resolve();
  /** The store refused the last commit. */
  #writeFailed = false;
  /** Nor does it let the log be read. */
  #readFailed = false;
  /** When it was last known that the log was not cleaned up beyond what was read: monotonic and wall clock. */
  #looked: { monotonicMs: number; wallMs: number };

  /** Takes over an opened log, and the history of all its versions. Throws LAKE_NOT_OURS on other semantics. */
  constructor(delta: DeltaLog, history: LedgerHistory, options: LedgerOptions) {
    this.#delta = delta;
    this.#history = history;
    this.#options = options;
    this.#looked = this.#now();
    this.#repeats = new RepeatLimitedLog(options.log, options.clock);
    this.#checkSemantics();
  }

  /** The newest version that was read or written. */
  get version(): number {
    return this.#delta.version;
  }

  /** Its store fails, and is asked again and again. */
  get isInTrouble(): boolean {
    return this.#writeFailed || this.#readFailed;
  }

  /** How long whoever cleans the log up keeps it. */
  get logKeptMs(): number {
    return logRetentionMs(this.#delta.metaData.configuration);
  }

  /** Versions between two checkpoints. */
  get checkpointInterval(): number {
    return checkpointInterval(this.#delta.metaData.configuration);
  }

  /** What the log says of each lane, as of now: another may take its place. */
  get history(): LedgerHistory {
    return this.#history;
  }

  lane(partition: number): LaneHistory | undefined {
    return this.#history.lane(this.#options.topicId, partition);
  }

  /** Id of the Delta table, for as long as it exists. */
  get tableId(): string {
    return this.#delta.metaData.id;
  }

  /** Does it know any lane of the topic? */
  get isStarted(): boolean {
    return this.#history.lanes(this.#options.topicId).length > 0;
  }

  /** What an erasure made of a data file of a cut; undefined: none touched it. */
  rewriteOf(path: string): RewrittenFile | undefined {
    return this.#history.rewrites.of(path);
  }

  appId(partition: number): string {
    return appIdOf(this.#options, this.#options.topicId, partition);
  }

  /** Reads what others wrote since. */
  async refresh(): Promise<void> {
    await this.#exclusive(() => this.#retried(() => this.#refresh()));
  }

  /**
   * Writes one version. `build` is asked anew before each attempt, since another's version may have taken lanes away; its
   * null ends the attempt. Returns the version written, or null. Tries for ever while the store fails.
   */
  async commit<Draft extends CommitDraft>(
    build: () => Draft | null,
  ): Promise<{ version: number; draft: Draft } | null> {
    return await this.#exclusive(() =>
      this.#commit(build, (draft) => this.#actions(draft, this.#entry(draft))),
    );
  }

  /**
   * Writes a version of maintenance: between two cuts, and only while every file that it takes out is in the table. `removals` began
   * before the table was read for it. Null: another was quicker with one of the files.
   */
  async commitMaintenance(
    draft: RewriteDraft,
    entry: MaintenanceEntry,
    removals: Removals,
  ): Promise<number | null> {
    const { engineId, semantics, random, clock, version } = this.#options;
    const build = () => (removals.touch(draft.removed) ? null : draft);
    const actions = () => {
      const attempt = random.id63().toString(36);
      const headrace: LedgerEntry = {
        format: 1,
        attempt,
        engine: engineId,
        semantics,
        cuts: [],
        maintenance: entry,
      };
      return rewriteActions(draft, { headrace, version, nowMs: clock.nowMs() });
    };
    const committed = await this.#exclusive(() => this.#commit(build, actions));
    return committed?.version ?? null;
  }

  /** What versions take out of the table from now on; until `close`. */
  watchRemovals(): Removals {
    const removals = new Removals(() => this.#watches.delete(removals));
    this.#watches.add(removals);
    return removals;
  }

  async #commit<Draft>(
    build: () => Draft | null,
    actionsOf: (draft: Draft) => Action[],
  ): Promise<{ version: number; draft: Draft } | null> {
    for (;;) {
      await this.#retried(() => this.#mindStandstill());
      const draft = build();
      if (draft === null) return null;
      const version = this.#delta.version + 1;
      const outcome = await this.#put(version, actionsOf(draft));
      if (outcome === 'committed') return { version, draft };
      await this.#options.clock.sleep(this.#jitter(CONFLICT_WAIT_MS));
    }
  }

  /**
   * Puts a version until it is known whose it is: after a failure or a lost answer this very attempt may have landed, or
   * may land late, so nothing else is put before the log has told (rule 8).
   */
  async #put(version: number, actions: Action[]): Promise<'committed' | 'conflict'> {
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, BACKOFF_MS_MAX)) {
      const now = this.#now();
      const outcome = await this.#tryPut(version, actions);
      if (outcome === 'committed') {
        this.#looked = now;
        this.#history.apply(factsOf({ version, actions }));
        for (const watch of this.#watches) watch.take(actions);
        return 'committed';
      }
      if (outcome === 'overtaken') {
        await this.#retried(() => this.#reload());
        return 'conflict';
      }
      if (outcome === 'conflict') {
        await this.#retried(() => this.#refresh());
        return 'conflict';
      }
      await this.#options.clock.sleep(this.#jitter(waitMs));
    }
  }

  async #tryPut(version: number, actions: Action[]): Promise<CommitOutcome> {
    try {
      crashPoint('commit.before-put');
      const outcome = await this.#delta.tryCommit(version, actions);
      if (outcome === 'committed') crashPoint('commit.after-put');
      if (outcome === 'unknown')
        this.#options.log.warn({ version }, 'the answer to a commit was lost; reading it back');
      else if (this.#writeFailed) this.#options.log.info({ version }, 'the ledger is written again');
      if (outcome !== 'unknown') this.#writeFailed = false;
      return outcome;
    } catch (error) {
      this.#failed(error, 'could not write the ledger; trying again, what is sealed waits meanwhile');
      this.#writeFailed = true;
      return 'unknown';
    }
  }

  async #retried(work: () => Promise<void>): Promise<void> {
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, BACKOFF_MS_MAX)) {
      try {
        await work();
        this.#readFailed = false;
        return;
      } catch (error) {
        this.#readFailed = true;
        this.#failed(error, 'could not read the ledger; trying again');
        await this.#options.clock.sleep(this.#jitter(waitMs));
      }
    }
  }

  /** Passing failures of the store are told and waited out; all others end the engine. */
  #failed(error: unknown, message: string): void {
    if (!(error instanceof HeadraceError) || error.disposition !== 'retry') throw error;
    this.#repeats.warn(message, { error }, message);
  }

  #jitter(ms: number): number {
    return ms * (0.5 + this.#options.random.float());
  }

  async #refresh(): Promise<void> {
    await this.#mindStandstill();
    let known = this.#delta.metaData;
    const now = this.#now();
    await this.#delta.refresh((version) => {
      refuseForeignChange(known, this.#delta.metaData, { version: version.version });
      known = this.#delta.metaData;
      const facts = factsOf(version);
      this.#history.apply(facts);
      for (const watch of this.#watches) watch.take(version.actions);
      const partitions = this.#history.partitionsOf(facts, this.#options.topicId);
      if (facts.entry?.engine !== this.#options.engineId) this.#options.onForeign(facts.version, partitions);
    });
    this.#looked = now;
    this.#checkSemantics();
  }

  /**
   * Behind a gap longer than half the time for which the log is kept, versions may have been deleted that were not read, and the
   * number of one may be won (rule 9): the log is listed before anything of it is believed.
   */
  async #mindStandstill(): Promise<void> {
    if (!mustList(this.#looked, this.#now(), this.logKeptMs)) return;
    const now = this.#now();
    if (await this.#delta.isCleanedBeyond()) await this.#reload();
    this.#looked = now;
  }

  /** The log has gone on without us and was cleaned up: all that stands on it starts over. */
  async #reload(): Promise<void> {
    const { log, group, topic, topicId, onForeign } = this.#options;
    const history = new LedgerHistory({ group, topic });
    const before = this.#delta.version;
    const known = this.#delta.metaData;
    await this.#delta.reload({ ...historyFrom(history), fromCheckpoint: true });
    for (const watch of this.#watches) watch.lose();
    refuseForeignChange(known, this.#delta.metaData, { version: this.version });
    this.#history = history;
    log.warn(
      { version: this.version, before },
      "the table's log was cleaned up while this engine stood still: it is read anew, what is not committed is dropped, the lanes recover",
    );
    this.#checkSemantics();
    onForeign(
      this.version,
      history.lanes(topicId).map(({ partition }) => partition),
    );
  }

  #now() {
    const { clock } = this.#options;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() };
  }

  /** A lane's state can't be built by other rules than those that wrote its rows (rule 16). */
  #checkSemantics(): void {
    const last = this.#history.lastSemantics;
    if (last === null || last === this.#options.semantics) return;
    throw otherSemantics(last, this.#options.semantics);
  }

  #entry({ cuts, moved = [] }: CommitDraft): LedgerEntry {
    const { engineId, semantics, random } = this.#options;
    const entry = { attempt: random.id63().toString(36), engine: engineId, semantics, cuts };
    if (moved.length === 0) return { format: 1, ...entry };
    return { format: 1, ...entry, moved: moved.map((partition) => this.appId(partition)) };
  }

  #actions(draft: CommitDraft, entry: LedgerEntry): Action[] {
    const nowMs = this.#options.clock.nowMs();
    return [
      {
        commitInfo: {
          timestamp: nowMs,
          operation: 'STREAMING UPDATE',
          operationParameters: { outputMode: 'Append', queryId: this.#options.group },
          isBlindAppend: true,
          engineInfo: `headrace/${this.#options.version}`,
          headrace: entry,
        },
      },
      ...draft.lanes.map((lane) => ({
        txn: { appId: this.appId(lane.partition), version: lane.to, lastUpdated: nowMs },
      })),
      ...draft.files.map((file) => ({
        add: {
          path: file.path,
          partitionValues: file.partitionValues,
          size: file.sizeBytes,
          modificationTime: nowMs,
          dataChange: true,
          stats: file.stats,
        },
      })),
    ];
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** Folds a log into a history while it is read. */
export function historyFrom(
  history: LedgerHistory,
): Pick<Required<OpenOptions>, 'onCheckpoint' | 'onVersion'> {
  return {
    onCheckpoint: async ({ version, actions, note, readKept }) =>
      await history.begin({
        version,
        txns: factsOf({ version, actions }).txns,
        note,
        readKept: async () => (await readKept()).map(factsOf),
      }),
    onVersion: (version) => history.apply(factsOf(version)),
  };
}

/** The parts of a version that decide about lanes. Throws HeadraceError LAKE_NOT_OURS for one of a newer format. */
export function factsOf(version: { version: number; actions: readonly Action[] }): VersionFacts {
  let entry: LedgerEntry | null = null;
  const txns: { appId: string; version: bigint }[] = [];
  for (const action of version.actions) {
    if ('commitInfo' in action) {
      const headrace = action.commitInfo.headrace as LedgerEntry | undefined;
      refuseNewerFormat(headrace?.format, version.version);
      if (headrace?.format === ENTRY_FORMAT) entry = headrace;
    }
    if ('txn' in action) txns.push({ appId: action.txn.appId, version: action.txn.version });
  }
  return { version: version.version, entry, txns };
}
