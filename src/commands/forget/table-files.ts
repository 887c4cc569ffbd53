import { filesOfVersion } from '../../followers/ledger-files.js';
import type { Action, VersionActions } from '../../lake/delta/actions.js';
import { isHidden } from '../../lake/delta/table-folder.js';
import type { ObjectInfo } from '../../lake/store/store.js';
import { factsOf } from '../../ledger/ledger.js';
import type { Person } from './person.js';
import { isBound, mayHold, type RowSign } from './stats.js';

/** Who may still come for a file: followers that have not passed the version in which these lanes' rows were committed. */
export interface FileNeed {
  path: string;
  /** Of the cut; null: no follower wants it, since no cut of ours brought it. */
  version: number | null;
  /** Null: not known, so every lane may be meant. */
  lanes: readonly number[] | null;
}

/** The table's data files, as its versions tell of them: which may hold rows of the person, and whose each is. */
export class TableFiles {
  readonly #person: RowSign;
  readonly #needs = new Map<string, FileNeed>();
  /** Files that their statistics rule out. */
  readonly #ruledOut = new Set<string>();
  readonly #removed = new Set<string>();
  /** Erasures that the log has, by id: the files that each took out of the table. */
  readonly #erasures = new Map<string, string[]>();
  #bounds = 0;
  #checkpoint: number | null = null;

  constructor(person: Person | null) {
    this.#person = person ?? NOBODY;
  }

  /** The log begins with a checkpoint: of the files in it nobody knows which lanes are in them. */
  begin(version: number, actions: readonly Action[]): void {
    this.#checkpoint = version;
    this.#takeAdds(actions);
  }

  take({ version, actions }: VersionActions): void {
    for (const { path, lanes } of filesOfVersion(version, actions).files)
      this.#needs.set(path, { path, version, lanes });
    this.#takeAdds(actions);
    for (const action of actions) if ('remove' in action) this.#removed.add(action.remove.path);
    const erasure = factsOf({ version, actions }).entry?.erasure;
    if (erasure === undefined) return;
    const taken = this.#erasures.get(erasure.id) ?? [];
    this.#erasures.set(erasure.id, [...taken, ...erasure.files.map(({ path }) => path)]);
    for (const { path, to } of erasure.files) {
      // what is left of a file is wanted by those who wanted the file
      if (to !== null) this.#needs.set(to.path, { ...this.needOf(path), path: to.path });
    }
  }

  /** Of how many files the value is a bound in the log's statistics: there it stays until the log is cleaned up. */
  get bounds(): number {
    return this.#bounds;
  }

  mayHold(path: string): boolean {
    return !this.#ruledOut.has(path);
  }

  wasRemoved(path: string): boolean {
    return this.#removed.has(path);
  }

  /** Undefined: the log knows of no such erasure. */
  takenBy(erasureId: string): readonly string[] | undefined {
    return this.#erasures.get(erasureId);
  }

  needOf(path: string): FileNeed {
    const known = this.#needs.get(path);
    if (known !== undefined) return known;
    return { path, version: this.#checkpoint, lanes: null };
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

/** Data files that lie in the folder and are not in the table: removed ones that nobody vacuumed, and those of engines that ended. */
export function filesBeside(
  listed: readonly ObjectInfo[],
  active: ReadonlyMap<string, unknown>,
): ObjectInfo[] {
  return listed.filter(({ path }) => path.endsWith('.parquet') && !isHidden(path) && !active.has(path));
}
