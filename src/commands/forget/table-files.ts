import type { Action, VersionActions } from '../../lake/delta/actions.js';
import { type FileNeed, FileNeeds } from '../../lake/maintenance/file-needs.js';
import { factsOf } from '../../ledger/ledger.js';
import type { Person } from './person.js';
import { isBound, mayHold, type RowSign } from './stats.js';

/** The table's data files, as its versions tell of them: which may hold rows of the person, and whose each is. */
export class TableFiles {
  readonly #person: RowSign;
  readonly #needs = new FileNeeds();
  /** Files that their statistics rule out. */
  readonly #ruledOut = new Set<string>();
  readonly #removed = new Set<string>();
  /** Erasures that the log has, by id: the files that each took out of the table. */
  readonly #erasures = new Map<string, string[]>();
  #bounds = 0;

  constructor(person: Person | null) {
    this.#person = person ?? NOBODY;
  }

  /** The log begins with a checkpoint, with this note in its seal. */
  begin(version: number, actions: readonly Action[], note: unknown): void {
    this.#needs.begin(version, actions, note);
    this.#takeAdds(actions);
  }

  take({ version, actions }: VersionActions): void {
    this.#needs.take({ version, actions });
    this.#takeAdds(actions);
    for (const action of actions) if ('remove' in action) this.#removed.add(action.remove.path);
    const erasure = factsOf({ version, actions }).entry?.erasure;
    if (erasure === undefined) return;
    const taken = this.#erasures.get(erasure.id) ?? [];
    this.#erasures.set(erasure.id, [...taken, ...erasure.files.map(({ path }) => path)]);
  }

  /** Of how many files the value is a bound in the log's statistics: there it stays until the log is cleaned up. */
  get bounds(): number {
    return this.#bounds;
  }

  mayHold(path: string): boolean {
    return !this.#ruledOut.has(path);
  }

  /** For whoever deletes files: the person's go, however short a time ago they were taken out. Null: no version took it out. */
  removedAtMs(path: string): number | null {
    return this.#removed.has(path) ? 0 : null;
  }

  /** Undefined: the log knows of no such erasure. */
  takenBy(erasureId: string): readonly string[] | undefined {
    return this.#erasures.get(erasureId);
  }

  needOf(path: string): FileNeed {
    return this.#needs.of(path);
  }

  #takeAdds(actions: readonly Action[]): void {
    for (const action of actions) {
      if (!('add' in action)) continue;
      const { path, stats } = action.add;
      this.#removed.delete(path);
      if (!mayHold(stats, this.#person)) this.#ruledOut.add(path);
      else if (isBound(stats, this.#person)) this.#bounds++;
    }
  }
}

/** Of whom there is no row. */
const NOBODY: RowSign = { columns: [], value: '', keyPart: null };
