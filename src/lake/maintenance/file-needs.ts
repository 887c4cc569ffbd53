import { commitInfoOf, type VersionActions } from '../delta/actions.js';

/** Who may still come for a file: followers that have not passed the version in which these lanes' rows were committed. */
export interface FileNeed {
  path: string;
  /** Of the cut; null: no follower wants it, since no cut of ours brought it. */
  version: number | null;
  /** Null: not known, so every lane may be meant. */
  lanes: readonly number[] | null;
}

/** As much of the ledger's entry as is read here. */
interface CutsOfEntry {
  format?: number;
  cuts?: readonly {
    lanes: readonly { partition: number }[];
    files?: readonly { path: string; lanes: readonly number[] }[];
  }[];
  erasure?: { files: readonly { path: string; to: { path: string } | null }[] };
}

/**
 * Whose each data file is, as the versions of the table tell of them (rule 14, for single files). Folds and compactions add files that no
 * follower wants; those that they took out of the table are wanted as before.
 */
export class FileNeeds {
  readonly #needs = new Map<string, FileNeed>();
  #checkpoint: number | null = null;

  /** The log begins with a checkpoint: of the files in it nobody knows which lanes are in them. */
  begin(version: number): void {
    this.#needs.clear();
    this.#checkpoint = version;
  }

  take({ version, actions }: VersionActions): void {
    const entry = commitInfoOf(actions)?.headrace as CutsOfEntry | undefined;
    if (entry?.format !== 1) return;
    const { cuts = [], erasure } = entry;
    const files = cuts.flatMap((cut) => cut.files ?? []);
    for (const { path, lanes } of files) this.#needs.set(path, { path, version, lanes });
    if (cuts.length > 0 && files.length === 0) {
      // an entry of early 0.1: each file counts as one of all its lanes
      const lanes = [...new Set(cuts.flatMap((cut) => cut.lanes.map(({ partition }) => partition)))];
      for (const action of actions) {
        if ('add' in action) this.#needs.set(action.add.path, { path: action.add.path, version, lanes });
      }
    }
    for (const { path, to } of erasure?.files ?? []) {
      // what is left of a file is wanted by those who wanted the file
      if (to !== null) this.#needs.set(to.path, { ...this.of(path), path: to.path });
    }
  }

  of(path: string): FileNeed {
    return this.#needs.get(path) ?? { path, version: this.#checkpoint, lanes: null };
  }
}
