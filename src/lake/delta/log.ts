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
import { decodeVersion, READER_VERSION, WRITER_VERSION } from './decode.js';
import { encodeVersion } from './encode.js';
import { checkpointOf, versionOf, versionPath } from './path.js';
import { TableState } from './table-state.js';

/**
 * The Delta log of a table, as far as it was read. Versions are read in order, without gaps, from 0; a version is put
 * only if absent and only when every version below it has been applied. One call at a time.
 */

export interface OpenOptions {
  /** Called for every version in order, once it is applied. */
  onVersion?: (version: VersionActions) => void | Promise<void>;
  /** Keep the table's files in memory as `activeFiles`. An engine does without: a table may have a million. */
  keepFiles?: boolean;
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

/** 'unknown': the answer was lost and the version is not there (yet); the same attempt may be tried again. */
export type CommitOutcome = 'committed' | 'conflict' | 'unknown';

export class DeltaLog {
  readonly #store: ObjectStore;
  readonly #state: TableState;
  #busy = false;

  private constructor(store: ObjectStore, options: OpenOptions) {
    this.#store = store;
    this.#state = new TableState(options.keepFiles === true);
  }

  /**
   * Reads all versions. Null: there is no log.
   * @throws HeadraceError LAKE_LOG_CORRUPT (gaps, damaged files, cleaned-up logs), LAKE_NOT_OURS (protocol), LAKE_IO
   */
  static async open(store: ObjectStore, options: OpenOptions = {}): Promise<DeltaLog | null> {
    const listed = await store.list('_delta_log/');
    const versions = listed.flatMap(({ path }) => versionOf(path) ?? []).sort((a, b) => a - b);
    const checkpoints = listed.flatMap(({ path }) => checkpointOf(path) ?? []);
    const hint = listed.some(({ path }) => path === '_delta_log/_last_checkpoint');
    if (versions.length === 0 && checkpoints.length === 0 && !hint) return null;
    refuseGaps(store, versions, Math.max(-1, ...checkpoints));
    const log = new DeltaLog(store, options);
    const last = versions.at(-1)!;
    await log.#exclusive(async () => {
      for (;;) {
        const next = await log.readVersion(log.version + 1);
        if (next === null) break;
        await log.#apply(next, options.onVersion);
      }
    });
    if (log.version < last) {
      throw gap(store, log.version + 1, `the log goes on to version ${last}`);
    }
    return log;
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
      const outcome = await this.#store.putIfAbsent(versionPath(version), encodeVersion(actions));
      if (outcome !== 'created') {
        const there = await this.readVersion(version);
        if (there === null) return 'unknown';
        if (attemptOf(there.actions) !== attempt) return 'conflict';
      }
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

/** `versions` ascending; `checkpoint` is the newest checkpoint's version, or −1. */
function refuseGaps(store: ObjectStore, versions: readonly number[], checkpoint: number): void {
  if (versions[0] !== 0) {
    const what =
      checkpoint >= 0
        ? `it starts from a checkpoint (version ${checkpoint}), which this version of headrace cannot read`
        : versions[0] === undefined
          ? 'there is a _last_checkpoint and no log, which this version of headrace cannot read'
          : `it starts at version ${versions[0]}`;
    throw new HeadraceError('LAKE_LOG_CORRUPT', `the table's log has no version 0: ${what}`, {
      where: { table: store.url, version: 0, checkpoint: checkpoint >= 0 ? checkpoint : undefined },
      remedy: 'bring the older log files back, or give headrace a table of its own',
    });
  }
  const missing = versions.findIndex((version, index) => version !== index);
  if (missing >= 0) throw gap(store, missing, `the log goes on with version ${versions[missing]}`);
}

function gap(store: ObjectStore, version: number, goesOn: string): HeadraceError {
  return new HeadraceError(
    'LAKE_LOG_CORRUPT',
    `version ${version} is missing from the table's log: ${goesOn}`,
    {
      where: { table: store.url, version, path: versionPath(version) },
      remedy: 'restore the missing file from a copy of the table; nothing was written',
    },
  );
}
