import { HeadraceError } from '../../errors.js';
import { invariant } from '../../invariant.js';
import type { ObjectStore } from '../store/store.js';
import {
  type Action,
  attemptOf,
  type CommitInfo,
  type MetaDataAction,
  type VersionActions,
} from './actions.js';
import { lastCheckpoint, newestCheckpoint } from './checkpoint.js';
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint-open.js';
import { decodeVersion, READER_VERSION, WRITER_VERSION } from './decode.js';
import { encodeVersion } from './encode.js';
import { beginnings, gap, keptUpTo, type LogListing, listingOf, noStart, refuseGaps } from './log-listing.js';
import { versionOf, versionPath } from './path.js';
import { TableState } from './table-state.js';
import { refuseBreach } from './write-rules.js';

/**
 * The Delta log of a table, as far as it was read. Versions are read in order, without gaps, from 0 or, where another tool has
 * cleaned the log up, from a checkpoint on; a version is put only if absent and only when every version below it has been
 * applied. One call at a time.
 */

/** A log that is not read from version 0 on: what its checkpoint says, and which versions up to it are still there. */
export interface LogStart {
  version: number;
  /** Without `add` and `remove`, unless files are kept or told. */
  actions: readonly Action[];
  /** What was written beside a checkpoint of ours (checkpoint-seal.ts); null: it is another's. */
  note: unknown;
  /** Up to the checkpoint's version, in order and without gaps; none that was put after the ones behind it. Read when asked for. */
  readKept(): Promise<readonly VersionActions[]>;
}

export interface OpenOptions {
  /** Called for every version in order, once it is applied. */
  onVersion?: (version: VersionActions) => void | Promise<void>;
  /**
   * Called when the log begins with a checkpoint; onVersion follows for the versions behind it. A log that is cleaned up while it is read
   * begins anew: what was told before counts no more.
   */
  onCheckpoint?: (start: LogStart) => void | Promise<void>;
  /** Begin with the newest checkpoint even where all versions are there: what lies before it is not told. */
  fromCheckpoint?: boolean;
  /** A checkpoint can't be read; another one, or the log, is read instead. */
  onDamaged?: (error: HeadraceError) => void;
  /** Keep the table's files in memory as `activeFiles`. An engine does without: a table may have a million. */
  keepFiles?: boolean;
  /** Tell `onCheckpoint` of files, too, without keeping them. */
  tellFiles?: boolean;
  /** Read no further: the table as it was. One of which nothing is left to tell what it was is LAKE_LOG_CORRUPT. */
  upTo?: number;
}

export interface CreateOptions extends OpenOptions {
  /** A UUID. */
  id: string;
  name: string;
  description: string;
  schemaString: string;
  partitionColumns: readonly string[];
  configuration: Readonly<Record<string, string>>;
  createdTimeMs: number;
  /** With headrace.attempt. */
  commitInfo: CommitInfo;
  /** What else belongs into version 0. */
  actions?: readonly Action[];
}

/**
 * 'unknown': the answer was lost and the version is not there (yet); the same attempt may be tried again. 'overtaken': it was
 * put where a version had been that was cleaned up since; it counts for nothing, and the log has to be read anew (rule 9).
 */
export type CommitOutcome = 'committed' | 'conflict' | 'unknown' | 'overtaken';

export class DeltaLog {
  readonly #store: ObjectStore;
  readonly #keepFiles: boolean;
  #state: TableState;
  #busy = false;

  private constructor(store: ObjectStore, options: OpenOptions) {
    this.#store = store;
    this.#keepFiles = options.keepFiles === true;
    this.#state = new TableState(this.#keepFiles);
  }

  /**
   * Reads all versions, or a checkpoint and those behind it. Null: there is no log.
   * @throws HeadraceError LAKE_LOG_CORRUPT (gaps, damaged files), LAKE_NOT_OURS (protocol), LAKE_IO
   */
  static async open(store: ObjectStore, options: OpenOptions = {}): Promise<DeltaLog | null> {
    const log = new DeltaLog(store, options);
    return (await log.#exclusive(() => log.#readAll(options))) ? log : null;
  }

  /** Reads all anew, as it is now. Until that is done it says what it said before. */
  async reload(options: OpenOptions): Promise<void> {
    await this.#exclusive(async () => {
      const anew = new DeltaLog(this.#store, { keepFiles: this.#keepFiles });
      const isThere = await anew.#readAll(options);
      invariant(isThere, 'the log of a table that was read is gone');
      this.#state = anew.#state;
    });
  }

  /** Was the log cleaned up beyond what was read? Asked after a standstill, before anything is read on or put (rule 9). */
  async isCleanedBeyond(): Promise<boolean> {
    const paths = (await this.#store.list('_delta_log/')).map(({ path }) => path);
    const checkpoint = newestCheckpoint(paths);
    if (checkpoint === null || checkpoint.version <= this.version) return false;
    const versions = new Set(paths.flatMap((path) => versionOf(path) ?? []));
    for (let next = this.version + 1; next <= checkpoint.version; next++)
      if (!versions.has(next)) return true;
    // a version that was put where another was deleted looks like any other: only below whole logs is it none
    return !versions.has(this.version);
  }

  /** False: there is no log. */
  async #readAll(options: OpenOptions): Promise<boolean> {
    const hinted = await hintedListing(this.#store, options);
    const start = hinted === null ? null : await this.#startOf(hinted, options, [true]);
    if (hinted !== null && start !== null && !(start instanceof HeadraceError)) {
      return await this.#readFrom(start, hinted, options);
    }
    const listing = listingOf(await this.#store.list('_delta_log/'), options.upTo);
    if (!listing.isThere) return false;
    const found = await this.#startOf(listing, options, [true, false]);
    if (found instanceof HeadraceError) throw found;
    return await this.#readFrom(found, listing, options);
  }

  async #readFrom(start: Start, listing: LogListing, options: OpenOptions): Promise<boolean> {
    if (start !== ZERO) {
      const { version, actions, note } = start;
      this.#state.begin(version, actions);
      await options.onCheckpoint?.({ version, actions, note, readKept: () => this.#readKept(version) });
    }
    refuseGaps(this.#store, listing, this.version);
    const { upTo = Number.POSITIVE_INFINITY } = options;
    while (this.version < upTo) {
      const next = await this.readVersion(this.version + 1);
      if (next === null) break;
      await this.#apply(next, options.onVersion);
    }
    const last = listing.versions.at(-1) ?? -1;
    return this.version >= last || (await this.#readAgain(last, options));
  }

  /** The next version was there when the log was listed: somebody cleans the log up meanwhile, or it is lost. */
  async #readAgain(last: number, options: OpenOptions): Promise<boolean> {
    const [newest] = listingOf(await this.#store.list('_delta_log/'), options.upTo).checkpoints;
    if (newest === undefined || newest.version <= this.version) {
      throw gap(this.#store, this.version + 1, `the log goes on to version ${last}`);
    }
    this.#state = new TableState(this.#keepFiles);
    return await this.#readAll(options);
  }

  /**
   * The first beginning that can be read. A checkpoint that differs from what was sealed is none, unless nothing else is left
   * (`passes`: strict ones first).
   */
  async #startOf(
    listing: LogListing,
    options: OpenOptions,
    passes: readonly boolean[],
  ): Promise<Start | HeadraceError> {
    const places = beginnings(listing, options.fromCheckpoint === true);
    let failure: HeadraceError | null = null;
    for (const strict of passes) {
      for (const place of places) {
        if (place === null) return ZERO;
        try {
          const withFiles = this.#keepFiles || options.tellFiles === true;
          return await openCheckpoint(this.#store, place, { withFiles, strict });
        } catch (error) {
          if (!(error instanceof HeadraceError) || error.code !== 'LAKE_LOG_CORRUPT') throw error;
          if (strict) options.onDamaged?.(error);
          failure ??= error;
        }
      }
    }
    return failure ?? noStart(this.#store, listing);
  }

  async #readKept(checkpoint: number): Promise<VersionActions[]> {
    const kept: VersionActions[] = [];
    for (const version of keptUpTo(await this.#store.list('_delta_log/'), checkpoint)) {
      const read = await this.readVersion(version);
      // it is being cleaned up: what lies before is of no use without it
      if (read === null) kept.length = 0;
      else kept.push(read);
    }
    return kept;
  }

  /** Writes version 0. 'conflict': somebody was quicker; open the log and see what it is. */
  static async create(store: ObjectStore, options: CreateOptions): Promise<DeltaLog | 'conflict'> {
    const metaData: MetaDataAction = {
      id: options.id,
      name: options.name,
      description: options.description,
      format: { provider: 'parquet', options: {} },
      schemaString: options.schemaString,
      partitionColumns: [...options.partitionColumns],
      configuration: { ...options.configuration },
      createdTime: options.createdTimeMs,
    };
    const actions: Action[] = [
      { commitInfo: options.commitInfo },
      { protocol: { minReaderVersion: READER_VERSION, minWriterVersion: WRITER_VERSION } },
      { metaData },
      ...(options.actions ?? []),
    ];
    const log = new DeltaLog(store, options);
    const outcome = await log.tryCommit(0, actions);
    if (outcome === 'conflict') return 'conflict';
    if (outcome === 'unknown') {
      throw new HeadraceError('LAKE_IO', 'it is not known whether the table was created', {
        where: { table: store.url },
        remedy: 'start again: the table is read first',
      });
    }
    await options.onVersion?.({ version: 0, actions });
    return log;
  }

  /** The newest version that was applied; −1 in a log that is being created. */
  get version(): number {
    return this.#state.version;
  }

  get protocol() {
    return this.#state.protocol;
  }

  get metaData() {
    return this.#state.metaData;
  }

  /** The version that it comes from. */
  get metaDataVersion(): number {
    return this.#state.metaDataVersion;
  }

  /** By application id: the newest version and the table version that carried it. */
  get txns() {
    return this.#state.txns;
  }

  /** By unencoded path, without stats. Only with `keepFiles`. */
  get activeFiles() {
    return this.#state.activeFiles;
  }

  /** The actions of one version, or null: it is not there. */
  async readVersion(version: number): Promise<VersionActions | null> {
    const bytes = await this.#store.get(versionPath(version));
    return bytes === null ? null : { version, actions: decodeVersion(version, bytes) };
  }

  /** Reads and applies every version that appeared since, in order. `onVersion` is called after each. */
  async refresh(onVersion?: (version: VersionActions) => void | Promise<void>): Promise<void> {
    await this.#exclusive(async () => {
      for (;;) {
        const next = await this.readVersion(this.version + 1);
        if (next === null) return;
        await this.#apply(next, onVersion);
      }
    });
  }

  /**
   * Puts a version if it is absent, and applies it when it is ours: also when it is found there as the work of this very
   * attempt, by commitInfo.headrace.attempt. On 'conflict' nothing is applied: refresh() brings what is there. When it
   * throws LAKE_IO the version may have landed all the same; the next refresh() or attempt sees it.
   */
  async tryCommit(version: number, actions: readonly Action[]): Promise<CommitOutcome> {
    const attempt = attemptOf(actions);
    invariant(attempt !== null, 'a commit without an attempt id', { version });
    invariant(version <= this.version + 1, 'a commit above a version that was not read', { version });
    if (version <= this.version) return 'conflict';
    return await this.#exclusive(async () => {
      this.#state.check(version, actions);
      if (version > 0) refuseBreach(this.metaData, actions, { version });
      const outcome = await this.#store.putIfAbsent(versionPath(version), encodeVersion(actions));
      if (outcome !== 'created') {
        const there = await this.readVersion(version);
        if (there === null) return 'unknown';
        if (attemptOf(there.actions) !== attempt) return 'conflict';
      }
      // an engine that stood still past the log's clean-up wins the number of a version that was deleted
      if ((await lastCheckpoint(this.#store)) >= version) return 'overtaken';
      this.#state.apply(version, actions);
      return 'committed';
    });
  }

  async #apply(version: VersionActions, onVersion: OpenOptions['onVersion']): Promise<void> {
    this.#state.check(version.version, version.actions);
    this.#state.apply(version.version, version.actions);
    await onVersion?.(version);
  }

  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    invariant(!this.#busy, 'two calls to a Delta log at a time');
    this.#busy = true;
    try {
      return await work();
    } catch (error) {
      throw namingTable(this.#store, error);
    } finally {
      this.#busy = false;
    }
  }
}

/** What is wrong with a log is of use only with the table that it belongs to. */
function namingTable(store: ObjectStore, error: unknown): unknown {
  if (!(error instanceof HeadraceError) || error.where.table !== undefined) return error;
  const { code, message, where, remedy, cause } = error;
  return new HeadraceError(code, message, {
    where: { table: store.url, ...where },
    ...(remedy === undefined ? {} : { remedy }),
    cause,
  });
}

/** The log is read from version 0 on. */
const ZERO = Symbol('version 0');

type Start = OpenedCheckpoint | typeof ZERO;

/**
 * Where a log may begin with a checkpoint: what lies behind the one that is said to be the newest. There may be very many versions
 * before it. Null: all has to be listed.
 */
async function hintedListing(
  store: ObjectStore,
  { fromCheckpoint, upTo }: OpenOptions,
): Promise<LogListing | null> {
  if (fromCheckpoint !== true || upTo !== undefined) return null;
  const hinted = await lastCheckpoint(store);
  if (hinted < 0) return null;
  // a version's own files come behind its number
  const listing = listingOf(await store.list('_delta_log/', versionPath(hinted).replace('.json', '')));
  return listing.checkpoints.length === 0 ? null : listing;
}
