import { type Action, commitInfoOf, type VersionActions } from '../delta/actions.js';
import { decodeNeeds, encodeNeeds, type FileNeedsNote, filesIn } from './file-needs-note.js';

/** Who may still come for a file: followers that have not passed the version in which these lanes' rows were committed. */
export interface FileNeed {
  path: string;
  /** Of the cut; null: no follower wants it, since no cut of ours brought it. */
  version: number | null;
  /** Null: not known, so every lane may be meant. */
  lanes: readonly number[] | null;
  /** It came in this version or an earlier one, of which nobody knows any more. */
  atMost?: true;
}

/** As much of the ledger's entry as is read here. */
interface CutsOfEntry {
  format?: number;
  cuts?: readonly {
    lanes: readonly { partition: number }[];
    files?: readonly { path: string; lanes: readonly number[] }[];
  }[];
  erasure?: { files: readonly { path: string; to: { path: string } | null }[] };
  maintenance?: object;
}

/**
 * Whose each data file is, as the versions of the table tell of them (rule 14, for single files). Folds and compactions add files that no
 * follower wants; those that they took out of the table are wanted as before.
 */
export class FileNeeds {
  readonly #needs = new Map<string, FileNeed>();
  #checkpoint: number | null = null;

  /**
   * The log begins with a checkpoint: of the files in it nobody knows which lanes are in them, and in which version they came only
   * where its seal says it.
   */
  begin(version: number, actions: readonly Action[], note: unknown): void {
    this.#needs.clear();
    this.#checkpoint = version;
    const paths = filesIn(actions);
    const known = decodeNeeds(note, paths.length) ?? [];
    for (const [i, need] of known.entries()) {
      const path = paths[i]!;
      this.#needs.set(path, { path, lanes: null, ...need });
    }
  }

  take({ version, actions }: VersionActions): void {
    const entry = commitInfoOf(actions)?.headrace as CutsOfEntry | undefined;
    if (entry?.format !== 1) return;
    const { cuts = [], erasure, maintenance } = entry;
    const files = cuts.flatMap((cut) => cut.files ?? []);
    for (const { path, lanes } of files) this.#needs.set(path, { path, version, lanes });
    if (cuts.length > 0 && files.length === 0) {
      // an entry of early 0.1: each file counts as one of all its lanes
      const lanes = [...new Set(cuts.flatMap((cut) => cut.lanes.map(({ partition }) => partition)))];
      for (const action of actions) {
        if ('add' in action) this.#needs.set(action.add.path, { path: action.add.path, version, lanes });
      }
    }
    for (const action of maintenance === undefined ? [] : actions) {
      if ('add' in action) this.#needs.set(action.add.path, nobodys(action.add.path));
    }
    for (const { path, to } of erasure?.files ?? []) {
      // what is left of a file is wanted by those who wanted the file
      if (to !== null) this.#needs.set(to.path, { ...this.of(path), path: to.path });
    }
  }

  of(path: string): FileNeed {
    const known = this.#needs.get(path);
    if (known !== undefined) return known;
    const version = this.#checkpoint;
    return version === null ? nobodys(path) : { path, version, lanes: null, atMost: true };
  }

  /** What is to be sealed with a checkpoint that names these files, in this order. */
  note(paths: readonly string[]): FileNeedsNote {
    return encodeNeeds(paths.map((path) => this.of(path)));
  }
}

function nobodys(path: string): FileNeed {
  return { path, version: null, lanes: null };
}
