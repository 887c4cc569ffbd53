import type { LedgerFile } from '../ledger-files.js';

/**
 * Lanes that other engines hold, as far as files of ours have rows of them: one that was written while all its lanes were in one
 * engine. Such a file has its turn when the earlier files of those lanes are in too, or it might cancel rows of one that is in
 * doubt there, of which nobody could tell afterwards whether it was in. Files that are shared wait for each other here; of the
 * others' own files their positions in ClickHouse tell.
 *
 * Whoever has the earliest file that is not in waits for nobody, so all get on.
 */
export class OtherLanes {
  /** Up to which version ClickHouse has them, as it said last. */
  readonly #positions = new Map<number, number>();
  /** By lane, the version of its last file that went by and is others'. */
  readonly #passed = new Map<number, number>();
  /** By path and lane: up to which version the lane has to be in. */
  readonly #needs = new Map<string, Map<number, number>>();
  #walkedFrom = 0;

  /** The ledger is walked from this version on: what lies before went by unseen. */
  walkFrom(version: number): void {
    this.#walkedFrom = version;
    this.#passed.clear();
  }

  /** ClickHouse was set back. */
  clear(): void {
    this.#positions.clear();
  }

  /** A file that is none of ours. */
  pass({ lanes, version }: LedgerFile): void {
    for (const lane of lanes) this.#passed.set(lane, Math.max(version, this.#passed.get(lane) ?? version));
  }

  /** One that is ours, of which these lanes are not. */
  meet({ path, version }: LedgerFile, foreign: readonly number[]): void {
    if (foreign.length === 0) return;
    const needs = foreign.map((lane): [number, number] => {
      const passed = this.#passed.get(lane) ?? this.#walkedFrom - 1;
      // of one version all are at it side by side: no position lies between its files
      return [lane, Math.min(passed, version - 1)];
    });
    this.#needs.set(path, new Map(needs));
  }

  /** These lanes are others' from now on. `files`: all that wait here, in order; `goes`: it does no more. */
  drop(lanes: ReadonlySet<number>, files: readonly LedgerFile[], goes: (file: LedgerFile) => boolean): void {
    const passed = new Map<number, number>();
    for (const file of files) {
      const own = file.lanes.filter((lane) => lanes.has(lane));
      if (goes(file)) for (const lane of own) passed.set(lane, file.version);
      else {
        const needs = this.#needs.get(file.path) ?? new Map<number, number>();
        for (const lane of own) needs.set(lane, Math.min(passed.get(lane) ?? -1, file.version - 1));
        this.#needs.set(file.path, needs);
      }
    }
    for (const [lane, version] of passed) this.#passed.set(lane, version);
    for (const lane of lanes) this.#positions.delete(lane);
  }

  forget(path: string): void {
    this.#needs.delete(path);
  }

  /** Lanes that a file waits for. */
  awaitedBy({ path, lanes }: LedgerFile, isHeld: (lane: number) => boolean): number[] {
    const needs = this.#needs.get(path);
    if (needs === undefined) return [];
    return lanes.filter(
      (lane) => !isHeld(lane) && (needs.get(lane) ?? -1) > (this.#positions.get(lane) ?? -1),
    );
  }

  at(positions: ReadonlyMap<number, number>): void {
    for (const [lane, version] of positions) this.#positions.set(lane, version);
  }
}
