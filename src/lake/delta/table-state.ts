import { HeadraceError } from '../../errors.js';
import { invariant } from '../../invariant.js';
import { type Action, type Add, type MetaDataAction, movedLanesOf, type Protocol } from './actions.js';
import { versionPath } from './path.js';
import { parseSchema, type TableSchema } from './schema.js';

/**
 * What the versions of a log add up to. `check` says whether a version may follow, `apply` takes it in; the first may
 * throw, the second does not, so that a refused version leaves the state whole.
 */

export interface TableMetaData extends MetaDataAction {
  schema: TableSchema;
}

export interface TxnState {
  version: bigint;
  /** The table version that carried it last. */
  committedIn: number;
}

/**
 * Our own transactions: they never go backwards (ledger.md, rule 4), unless the version says that an operator moved the lane.
 * What others do with theirs is theirs.
 */
const APP_ID_PREFIX = 'headrace/';

export class TableState {
  readonly txns = new Map<string, TxnState>();
  readonly #files: Map<string, Omit<Add, 'stats'>> | null;
  #version = -1;
  #protocol: Protocol | null = null;
  #metaData: TableMetaData | null = null;
  #metaDataVersion = -1;

  constructor(keepFiles: boolean) {
    this.#files = keepFiles ? new Map() : null;
  }

  get version(): number {
    return this.#version;
  }

  get protocol(): Protocol {
    invariant(this.#protocol !== null, 'the protocol of a table that was not read');
    return this.#protocol;
  }

  get metaData(): TableMetaData {
    invariant(this.#metaData !== null, 'the metadata of a table that was not read');
    return this.#metaData;
  }

  /** The version that says so. */
  get metaDataVersion(): number {
    return this.#metaDataVersion;
  }

  get activeFiles(): ReadonlyMap<string, Omit<Add, 'stats'>> {
    invariant(this.#files !== null, 'the log was opened without keepFiles');
    return this.#files;
  }

  /** Begins with what a checkpoint says that all versions up to this one add up to. */
  begin(version: number, actions: readonly Action[]): void {
    this.apply(version, actions);
  }

  /** @throws HeadraceError LAKE_LOG_CORRUPT */
  check(version: number, actions: readonly Action[]): void {
    invariant(version === this.#version + 1, 'versions out of order', { version });
    const where = { version, path: versionPath(version) };
    if (version === 0) {
      for (const needed of ['protocol', 'metaData']) {
        if (actions.some((action) => needed in action)) continue;
        throw new HeadraceError('LAKE_LOG_CORRUPT', `version 0 of the table has no ${needed}`, { where });
      }
    }
    const seen = new Map<string, bigint>();
    const moved = movedLanesOf(actions);
    for (const action of actions) {
      if ('metaData' in action) parseSchema(action.metaData.schemaString, where);
      if (!('txn' in action) || !action.txn.appId.startsWith(APP_ID_PREFIX)) continue;
      const { appId, version: next } = action.txn;
      const before = seen.get(appId) ?? this.txns.get(appId)?.version;
      if (before !== undefined && next < before && !moved.has(appId)) {
        throw new HeadraceError('LAKE_LOG_CORRUPT', `a lane goes backwards, from ${before} to ${next}`, {
          where: { ...where, lane: appId },
          remedy: 'the log was changed by hand or restored in part: restore it whole',
        });
      }
      seen.set(appId, next);
    }
  }

  apply(version: number, actions: readonly Action[]): void {
    for (const action of actions) {
      if ('protocol' in action) this.#protocol = action.protocol;
      else if ('metaData' in action) {
        this.#metaData = {
          ...action.metaData,
          schema: parseSchema(action.metaData.schemaString, { version }),
        };
        this.#metaDataVersion = version;
      } else if ('txn' in action) {
        this.txns.set(action.txn.appId, { version: action.txn.version, committedIn: version });
      } else if (this.#files !== null && 'remove' in action) this.#files.delete(action.remove.path);
      else if (this.#files !== null && 'add' in action) {
        const { stats: _, ...file } = action.add;
        this.#files.set(file.path, file);
      }
    }
    this.#version = version;
  }
}
