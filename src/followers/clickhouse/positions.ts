import type { FollowerTables, StoredPosition } from './tables.js';

/**
 * The lanes' positions in ClickHouse, as this engine read or wrote them last. They are written now and then, never ahead of
 * the done rows, and compared before: a row with a lower number than ours was set back, by a restored backup.
 */
export interface PositionsOptions {
  tables: FollowerTables;
  appId(partition: number): string;
}

/** Done rows that are looked for, to learn whether ClickHouse was set back. */
const WITNESSES_MAX = 16;

export class FollowerPositions {
  readonly #options: PositionsOptions;
  readonly #known = new Map<number, StoredPosition | null>();
  /** Files whose done rows were seen or written: the newest of all, and the first ones since the last writing. */
  #newestDone: string | null = null;
  #firstDone: string[] = [];

  constructor(options: PositionsOptions) {
    this.#options = options;
  }

  /** Version up to which each lane is in; −1: ClickHouse has nothing of it. */
  async read(partitions: readonly number[]): Promise<Map<number, number>> {
    return this.#take(await this.#rows(partitions));
  }

  /** The same of lanes that are others': nothing of it is kept. */
  async ofOthers(partitions: readonly number[]): Promise<Map<number, number>> {
    return new Map([...(await this.#rows(partitions))].map(([lane, row]) => [lane, row?.version ?? -1]));
  }

  /** A done row is there for this file, and must stay. */
  recorded(path: string): void {
    if (this.#firstDone.length < WITNESSES_MAX) this.#firstDone.push(path);
    this.#newestDone = path;
  }

  /**
   * Writes what has moved on. `restored`: nothing was written, since ClickHouse was set back. `isOld` says whether what was read
   * is old news, so that nothing may be written by it. A lane of which somebody wrote more is somebody else's by now.
   */
  async write(
    positions: ReadonlyMap<number, number>,
    atMs: number,
    isOld: () => boolean = () => false,
  ): Promise<'written' | 'restored' | 'old'> {
    const rows = await this.#rows([...positions.keys()]);
    if (this.#isBehind(rows) || (await this.#isForgotten())) return 'restored';
    if (isOld()) return 'old';
    for (const [lane, row] of rows)
      if (row !== null && row.version >= positions.get(lane)!) this.#known.set(lane, row);
    const moved = [...positions].filter(
      ([lane, version]) => version !== this.#version(lane) && version > (rows.get(lane)?.version ?? -1),
    );
    const written = moved.map(([partition, version]) => {
      const seq = (rows.get(partition)?.seq ?? 0n) + 1n;
      return { partition, appId: this.#options.appId(partition), version, seq };
    });
    if (written.length > 0) await this.#options.tables.writePositions(written, atMs);
    this.#firstDone = this.#newestDone === null ? [] : [this.#newestDone];
    for (const { partition, version, seq } of written) this.#known.set(partition, { version, seq });
    return 'written';
  }

  /** Is what is there older than what was last written or read, or less? */
  async isSetBack(partitions: readonly number[]): Promise<boolean> {
    return this.#isBehind(await this.#rows(partitions)) || (await this.#isForgotten());
  }

  /** Is everything written that has moved? */
  isWritten(positions: ReadonlyMap<number, number>): boolean {
    return [...positions].every(([lane, version]) => version === this.#version(lane));
  }

  /** After ClickHouse was set back: the positions that it has now. Until they are read it stays known that it was. */
  async restart(partitions: readonly number[]): Promise<Map<number, number>> {
    const rows = await this.#rows(partitions);
    this.#known.clear();
    this.#newestDone = null;
    this.#firstDone = [];
    return this.#take(rows);
  }

  forget(partition: number): void {
    this.#known.delete(partition);
  }

  #take(rows: ReadonlyMap<number, StoredPosition | null>): Map<number, number> {
    for (const [partition, row] of rows) this.#known.set(partition, row);
    return new Map([...rows].map(([partition, row]) => [partition, row?.version ?? -1]));
  }

  /** A lane without a row stands at −1. */
  #version(partition: number): number {
    return this.#known.get(partition)?.version ?? -1;
  }

  #isBehind(rows: ReadonlyMap<number, StoredPosition | null>): boolean {
    return [...rows].some(([partition, row]) => (row?.seq ?? 0n) < (this.#known.get(partition)?.seq ?? 0n));
  }

  async #isForgotten(): Promise<boolean> {
    const paths = new Set(this.#firstDone);
    if (this.#newestDone !== null) paths.add(this.#newestDone);
    if (paths.size === 0) return false;
    const states = await this.#options.tables.states([...paths]);
    return [...paths].some((path) => states.get(path)?.done !== true);
  }

  async #rows(partitions: readonly number[]): Promise<Map<number, StoredPosition | null>> {
    const appIds = partitions.map((partition) => this.#options.appId(partition));
    const rows = await this.#options.tables.positions(appIds);
    return new Map(partitions.map((partition, index) => [partition, rows.get(appIds[index]!) ?? null]));
  }
}
