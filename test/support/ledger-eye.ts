import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LaneRows } from '#src/ledger/types.js';
import { tablePath } from './spine-table.js';

/** The ledger as it grows, read from the log's files while engines write them. */

export interface FileOfLane {
  path: string;
  rows: number;
}

interface LaneVersion {
  version: number;
  /** Where the lane stands in this version. */
  offset: number;
  /** Data files that have rows of the lane, and how many. */
  files: FileOfLane[];
}

interface VersionAction {
  txn?: { appId: string; version: number };
  commitInfo?: {
    headrace?: { engine: string; cuts: { files?: { path: string; laneRows: LaneRows[] }[] }[] };
  };
}

export class LedgerEye {
  readonly #lake: string;
  readonly #lanes = new Map<number, LaneVersion[]>();
  /** Who put each version. */
  readonly #engines: string[] = [];
  /** Who moved each lane last. */
  readonly #owners = new Map<number, string>();
  #files = 0;
  #log: string | null = null;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(lake: string) {
    this.#lake = lake;
  }

  /** The newest version that was read, −1 when there is none. */
  get version(): number {
    return this.#engines.length - 1;
  }

  /** How many events of the topic are committed, if all lanes started at 0. */
  get events(): number {
    return [...this.#lanes.keys()].reduce((sum, partition) => sum + this.offset(partition), 0);
  }

  /** How many data files the versions have named. */
  get files(): number {
    return this.#files;
  }

  /** Reads what is new, and gives the newest version. */
  refresh(): Promise<number> {
    const reading = this.#reading.then(() => this.#refresh());
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  /** Engines that have put versions after this one. */
  enginesSince(version: number): Set<string> {
    return new Set(this.#engines.slice(version + 1));
  }

  /** Who moved each lane last, if it moved after this version. */
  ownersSince(version: number): Map<number, string> {
    const moved = [...this.#lanes].filter(([, versions]) => versions.at(-1)!.version > version);
    return new Map(moved.map(([partition]) => [partition, this.#owners.get(partition)!]));
  }

  /** Where a lane stands, 0 when the ledger does not know it. */
  offset(partition: number): number {
    return this.#lanes.get(partition)?.at(-1)?.offset ?? 0;
  }

  /** The files with rows of a lane in the versions in which it stood at or below this offset. */
  filesUpTo(partition: number, offset: number): FileOfLane[] {
    const versions = this.#lanes.get(partition) ?? [];
    // the version that first reached the offset is in; those that moved nothing after it may not be yet
    const last = versions.findIndex((version) => version.offset >= offset);
    const reached =
      last < 0 ? versions : versions.slice(0, last + (versions[last]!.offset === offset ? 1 : 0));
    return reached.flatMap(({ files }) => files);
  }

  async #refresh(): Promise<number> {
    this.#log ??= await tablePath(this.#lake).then(
      (table) => join(table, '_delta_log'),
      () => null,
    );
    if (this.#log === null) return this.version;
    for (;;) {
      const version = this.version + 1;
      const text = await readFile(join(this.#log, versionFile(version)), 'utf8').catch(() => null);
      if (text === null) return this.version;
      this.#add(version, text);
    }
  }

  #add(version: number, text: string): void {
    const lines = text.split('\n').filter((line) => line !== '');
    const actions = lines.map((line) => JSON.parse(line) as VersionAction);
    const entry = actions.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo?.headrace;
    const files = (entry?.cuts ?? []).flatMap((cut) => cut.files ?? []);
    this.#files += files.length;
    for (const { txn } of actions) {
      if (txn === undefined) continue;
      const partition = Number(txn.appId.split('/').at(-1));
      const versions = this.#lanes.get(partition) ?? [];
      const ofLane = files.flatMap(({ path, laneRows }) => {
        const rows = laneRows.filter((part) => part.partition === partition).map((part) => part.rows);
        return rows.length === 0 ? [] : [{ path, rows: rows.reduce((sum, each) => sum + each, 0) }];
      });
      versions.push({ version, offset: txn.version, files: ofLane });
      this.#lanes.set(partition, versions);
      this.#owners.set(partition, entry?.engine ?? '');
    }
    this.#engines.push(entry?.engine ?? '');
  }
}

export function versionFile(version: number): string {
  return `${String(version).padStart(20, '0')}.json`;
}
