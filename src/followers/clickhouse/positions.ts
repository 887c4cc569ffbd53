import type { FollowerTables, StoredPosition } from './tables.js';

/**
 * The lanes' positions in ClickHouse, as this engine read or wrote them last. They are written now and then, never ahead of
 * the done rows, and compared before: a row with a lower number than ours was set back, by a restored backup.
 */
export interface PositionsOptions {
  tables: FollowerTables;
  appId(partition: number): string;
}

/** A backup may have copied the table of positions a little after the table of sessions. */
const RESTORE_MARGIN_VERSIONS = 100;

export class FollowerPositions {
  readonly #options: PositionsOptions;
  readonly #known = new Map<number, StoredPosition | null>();
  #newestDone: string | null = null;

  constructor(options: PositionsOptions) {
    this.#options = options;
  }

  /** Version up to which each lane is in; −1: ClickHouse has nothing of it. */
  async read(partitions: readonly number[]): Promise<Map<number, number>> {
    const rows = await this.#rows(partitions);
    for (const [partition, row] of rows) this.#known.set(partition, row);
    return new Map([...rows].map(([partition, row]) => [partition, row?.version ?? -1]));
  }

  /** A done row was written for this file: it must be there from now on. */
  recorded(path: string): void {
    this.#newestDone = path;
  }

  /** Writes what has moved. `restored`: nothing was written, since what is there is older than what was last written or read. */
  async write(positions: ReadonlyMap<number, number>, atMs: number): Promise<'written' | 'restored'> {
    const moved = [...positions].filter(([lane, version]) => version !== this.#version(lane));
    if (moved.length === 0) return 'written';
    const rows = await this.#rows([...positions.keys()]);
    if (this.#isSetBack(rows) || (await this.#isForgotten())) return 'restored';
    const written = moved.map(([partition, version]) => {
      const seq = (rows.get(partition)?.seq ?? 0n) + 1n;
      return { partition, appId: this.#options.appId(partition), version, seq };
    });
    await this.#options.tables.writePositions(written, atMs);
    for (const { partition, version, seq } of written) this.#known.set(partition, { version, seq });
    return 'written';
  }

  /** Is everything written that has moved? */
  isWritten(positions: ReadonlyMap<number, number>): boolean {
    return [...positions].every(([lane, version]) => version === this.#version(lane));
  }

  /** After ClickHouse was set back: the positions from which each file is to be asked for. */
  async restart(partitions: readonly number[]): Promise<Map<number, number>> {
    this.#known.clear();
    this.#newestDone = null;
    const positions = await this.read(partitions);
    return new Map([...positions].map(([lane, at]) => [lane, Math.max(-1, at - RESTORE_MARGIN_VERSIONS)]));
  }

  forget(partition: number): void {
    this.#known.delete(partition);
  }

  /** A lane without a row stands at −1. */
  #version(partition: number): number {
    return this.#known.get(partition)?.version ?? -1;
  }

  #isSetBack(rows: ReadonlyMap<number, StoredPosition | null>): boolean {
    return [...rows].some(([partition, row]) => (row?.seq ?? 0n) < (this.#known.get(partition)?.seq ?? 0n));
  }

  async #isForgotten(): Promise<boolean> {
    if (this.#newestDone === null) return false;
    const states = await this.#options.tables.states([this.#newestDone]);
    return states.get(this.#newestDone)?.done !== true;
  }

  async #rows(partitions: readonly number[]): Promise<Map<number, StoredPosition | null>> {
    const appIds = partitions.map((partition) => this.#options.appId(partition));
    const rows = await this.#options.tables.positions(appIds);
    return new Map(partitions.map((partition, index) => [partition, rows.get(appIds[index]!) ?? null]));
  }
}
