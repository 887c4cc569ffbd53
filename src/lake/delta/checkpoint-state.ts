import type { Action, Add, MetaDataAction, Protocol, Remove, Txn } from './actions.js';
import type { CheckpointRow } from './checkpoint-rows.js';
import { encodePath } from './path.js';
import { deletedFileRetentionMs } from './retention.js';

/** What all versions up to one add up to, whole: what a checkpoint of it has to hold. */
export class CheckpointState {
  #protocol: Protocol | null = null;
  #metaData: MetaDataAction | null = null;
  readonly #txns = new Map<string, Txn>();
  readonly #adds = new Map<string, Add>();
  /** Of files that are in the table no more: a vacuum knows by them since when. */
  readonly #removes = new Map<string, Remove>();

  get files(): number {
    return this.#adds.size;
  }

  /** Begins anew. */
  clear(): void {
    this.#protocol = null;
    this.#metaData = null;
    for (const map of [this.#txns, this.#adds, this.#removes]) map.clear();
  }

  /** Of the next version, or of the checkpoint to begin with. */
  take(actions: readonly Action[]): void {
    for (const action of actions) {
      if ('add' in action) {
        this.#removes.delete(action.add.path);
        this.#adds.set(action.add.path, action.add);
      } else if ('remove' in action) {
        this.#adds.delete(action.remove.path);
        this.#removes.set(action.remove.path, action.remove);
      } else if ('txn' in action) this.#txns.set(action.txn.appId, action.txn);
      else if ('metaData' in action) this.#metaData = action.metaData;
      else if ('protocol' in action) this.#protocol = action.protocol;
    }
  }

  /** Of the files that it names, in the order of its rows. */
  paths(nowMs: number): string[] {
    return [...this.#keptRemoves(nowMs), ...this.#adds.values()].map(({ path }) => path);
  }

  /** In an order that the same state always has. Tombstones that are older than the table keeps them are left out. */
  rows(nowMs: number): CheckpointRow[] {
    const { configuration = {}, ...metaData } = this.#metaData ?? {};
    const removes = this.#keptRemoves(nowMs);
    return [
      { kind: 'protocol', value: present({ ...this.#protocol }) },
      { kind: 'metaData', value: present({ ...metaData, configuration }) },
      ...[...this.#txns.values()].map(({ appId, version, lastUpdated }) => ({
        kind: 'txn' as const,
        value: present({ appId, version: exact(version), lastUpdated }),
      })),
      // what follows the table's changes has nothing to do with a checkpoint: its actions change no data
      ...removes.map(({ path, deletionTimestamp, extendedFileMetadata, partitionValues, size }) => ({
        kind: 'remove' as const,
        value: present({
          path: encodePath(path),
          deletionTimestamp,
          dataChange: false,
          extendedFileMetadata,
          partitionValues,
          size,
        }),
      })),
      ...[...this.#adds.values()].map(({ path, partitionValues, size, modificationTime, stats, tags }) => ({
        kind: 'add' as const,
        value: present({
          path: encodePath(path),
          partitionValues,
          size,
          modificationTime,
          dataChange: false,
          stats,
          tags,
        }),
      })),
    ];
  }

  #keptRemoves(nowMs: number): Remove[] {
    const keptSinceMs = nowMs - deletedFileRetentionMs(this.#metaData?.configuration ?? {});
    return [...this.#removes.values()].filter((remove) => (remove.deletionTimestamp ?? 0) > keptSinceMs);
  }
}

function present(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined && each !== null));
}

function exact(version: bigint): number | bigint {
  return Number.isSafeInteger(Number(version)) ? Number(version) : version;
}
