import type { LakeConfig } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import { entryOf } from '../../followers/topics/sources.js';
import type { Action, VersionActions } from '../../lake/delta/actions.js';
import { type LetterLine, letterLines } from '../../ledger/dead-letter-file.js';
import { type OpenedTable, openTable } from '../ledger/open-table.js';

/**
 * The dead letters of a table as its ledger names them: a file that no version names was never committed, and its letters
 * may be in another.
 */
export interface Letter extends LetterLine {
  /** Of the source topic: one that was made again has offsets of its own. */
  topicId: string;
  /** The table's version that brought it. */
  version: number;
  file: string;
}

interface LetterFile {
  path: string;
  version: number;
  topicId: string;
}

export class TableLetters {
  readonly opened: OpenedTable;
  readonly #files: readonly LetterFile[];
  /** The oldest version that the log still has. */
  readonly oldestVersion: number;
  /** Files that could not be read, and why. */
  readonly troubles: string[] = [];

  private constructor(opened: OpenedTable, files: readonly LetterFile[], oldestVersion: number) {
    this.opened = opened;
    this.#files = files;
    this.oldestVersion = oldestVersion;
  }

  /** `lake`: the table, or what holds it. Throws what openTable throws. */
  static async open(lake: LakeConfig): Promise<TableLetters> {
    const files: LetterFile[] = [];
    let oldest = Number.POSITIVE_INFINITY;
    const onVersion = ({ version, actions }: VersionActions) => {
      oldest = Math.min(oldest, version);
      const topicId = topicIdOf(actions);
      if (topicId === null) return;
      for (const { deadLetterFiles } of entryOf(actions)?.cuts ?? []) {
        for (const { path: file } of deadLetterFiles) files.push({ path: file, version, topicId });
      }
    };
    const opened = await openTable(lake, { onVersion });
    return new TableLetters(opened, files, Number.isFinite(oldest) ? oldest : 0);
  }

  /** All of them in the ledger's order, one file in memory at a time. A file that can't be read becomes a trouble. */
  async *all(): AsyncGenerator<Letter> {
    this.troubles.length = 0;
    if (this.oldestVersion > 0) {
      this.troubles.push(
        `the log begins at version ${this.oldestVersion}: letters of before are in ${this.opened.table}/_headrace/dead-letters, and not looked at`,
      );
    }
    for (const { path, version, topicId } of this.#files) {
      const bytes = await this.#bytes(path);
      if (bytes === null) continue;
      for (const line of letterLines(bytes)) yield { ...line, topicId, version, file: path };
    }
  }

  async #bytes(path: string): Promise<Uint8Array | null> {
    try {
      const bytes = await this.opened.store.get(path);
      if (bytes === null) this.troubles.push(`${path} is not there`);
      return bytes;
    } catch (error) {
      this.troubles.push(`${path}: ${messageOf(error)}`);
      return null;
    }
  }
}

/** A version is written by an engine with one topic. */
export function topicIdOf(actions: readonly Action[]): string | null {
  for (const action of actions) {
    if ('txn' in action && action.txn.appId.startsWith('headrace/'))
      return action.txn.appId.split('/').at(-2) ?? null;
  }
  return null;
}

/** `3:1204`, or `3:1204:7` for one of several events of a message. */
export function coordinatesOf({ partition, offset, item }: LetterLine): string {
  return `${partition}:${offset}${item === undefined ? '' : `:${item}`}`;
}
