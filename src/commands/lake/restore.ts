import { systemClock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import type { Add, VersionActions } from '../../lake/delta/actions.js';
import { type AsOf, parseVersion, versionAt } from '../../lake/reading/as-of.js';
import { columnsOf } from '../../lake/reading/cell.js';
import { readableLog } from '../../lake/reading/readable-log.js';
import { readTableAt, readVersions, type TableAt } from '../../lake/reading/table-at.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { putErasure } from '../../ledger/erasure.js';
import { factsOf } from '../../ledger/ledger.js';
import { type RestoreDraft, restoreActions, restoreDraft } from '../../ledger/restore.js';
import { systemRandom } from '../../random.js';
import { packageVersion } from '../../version.js';
import { type OpenedTable, openTable } from '../ledger/open-table.js';
import { type LakeName, lakeOf } from './open-lake.js';
import { restoreJson, restoreText } from './restore-text.js';

export interface LakeRestoreOptions {
  lake: LakeName;
  version: string;
  /** Do it; else it is only shown. */
  yes: boolean;
  json: boolean;
  stdout(text: string): void;
}

/**
 * `headrace lake restore`: brings the table back to an earlier version, by a new one. Says what it would do, and does it with --yes.
 * Resolves to 0. Throws HeadraceError USAGE (no such version, other columns, erased rows), LAKE_FILE_BROKEN (files are gone) and what
 * opening throws. Engines may be running: what they commit meanwhile is taken out, too.
 */
export async function lakeRestore({ lake, version, yes, json, stdout }: LakeRestoreOptions): Promise<number> {
  const asOf: AsOf = { version: parseVersion('--version', version) };
  const opened = await openTable(lakeOf(lake));
  const { store } = opened;
  const log = await readableLog(store);
  if (log === null) throw new HeadraceError('LAKE_IO', 'the log of a table that was read is gone');
  const then = await readTableAt(store, log, await versionAt(store, log, asOf));
  // what is put must follow what was looked at: from here on by the log's own reading
  const now = await readTableAt(store, log, log.newest);
  const restore = new Restore(opened, then, now);
  if (then.version + 1 < log.first && then.version < log.newest)
    throw cleanedBetween(opened.table, then.version);
  await restore.readOn();
  await restore.refuse();
  const planned = restore.draft;
  const committed = yes && restore.isNeeded ? await restore.commit() : null;
  const report = {
    table: opened.table,
    then,
    draft: committed?.draft ?? planned,
    version: committed?.version ?? null,
  };
  stdout(`${json ? restoreJson(report) : restoreText(report)}\n`);
  return 0;
}

class Restore {
  readonly #opened: OpenedTable;
  readonly #then: TableAt;
  /** The table's files as far as its versions were read. */
  readonly #files: Map<string, Add>;
  #read: number;
  #metaData: TableAt['metaData'];
  /** Files that an erasure has taken rows out of since. */
  readonly #erased = new Map<string, number>();

  constructor(opened: OpenedTable, then: TableAt, now: TableAt) {
    this.#opened = opened;
    this.#then = then;
    this.#files = new Map(now.files);
    this.#read = now.version;
    this.#metaData = now.metaData;
  }

  get draft(): RestoreDraft {
    return restoreDraft(this.#then.version, this.#files, this.#then.files);
  }

  get isNeeded(): boolean {
    const { add, remove } = this.draft;
    return add.length + remove.length > 0;
  }

  /** Up to the newest version, and once over those since the one to come back, for what they erased. */
  async readOn(): Promise<void> {
    const { delta, store, history } = this.#opened;
    for await (const each of readVersions(store, this.#then.version + 1, this.#read)) this.#noteErasure(each);
    await delta.refresh((version) => history.apply(factsOf(version)));
    for await (const each of readVersions(store, this.#read + 1, delta.version)) this.#take(each);
  }

  /** Throws HeadraceError for a version that can't come back. */
  async refuse(): Promise<void> {
    const { store, table } = this.#opened;
    const where = { table, version: this.#then.version };
    const differences = this.#columnDifferences();
    if (differences.length > 0) {
      throw new HeadraceError('USAGE', `the table had other columns then: ${differences.join('; ')}`, {
        where,
        remedy: 'read that version with headrace lake read, and write it into a table of its own',
      });
    }
    const { add } = this.draft;
    const erased = add.find(({ path }) => this.#erased.has(path));
    if (erased !== undefined) {
      throw new HeadraceError('USAGE', 'rows of a person who was erased since would come back', {
        where: { ...where, path: erased.path, erasedIn: this.#erased.get(erased.path) },
        remedy: 'restore the version of the erasure, or a later one',
      });
    }
    const gone = await goneOf(store, add);
    if (gone.length === 0) return;
    throw new HeadraceError(
      'LAKE_FILE_BROKEN',
      `${gone.length} of the ${add.length} files that would come back are gone or of another size: a vacuum has deleted them`,
      {
        where: { ...where, path: gone[0]!.path },
        remedy: 'bring them back from a copy of the table, or restore a later version; nothing was changed',
      },
    );
  }

  /** A vacuum may have been at work. */
  async #confirm(version: number, { add }: RestoreDraft): Promise<void> {
    const { store, table } = this.#opened;
    const gone = await goneOf(store, add);
    if (gone.length === 0) return;
    throw new HeadraceError(
      'LAKE_FILE_BROKEN',
      `a vacuum deleted ${gone.length} of the files while they were brought back`,
      {
        where: { table, version, path: gone[0]!.path },
        remedy: `headrace lake restore --version ${version - 1} takes the version back`,
      },
    );
  }

  /** Until it is the table's version. What others added meanwhile is taken out, too: the table is to be as it was. */
  async commit(): Promise<{ version: number; draft: RestoreDraft }> {
    const { delta, history } = this.#opened;
    for (;;) {
      const { draft } = this;
      const version = delta.version + 1;
      const actions = restoreActions(draft, {
        attempt: systemRandom.id63().toString(36),
        semantics: history.lastSemantics ?? '',
        version: packageVersion(),
        nowMs: systemClock.nowMs(),
      });
      const outcome = await putErasure(delta, actions, { clock: systemClock, random: systemRandom });
      if (outcome === 'committed') {
        await this.#confirm(version, draft);
        return { version, draft };
      }
      await delta.refresh((each) => {
        history.apply(factsOf(each));
        this.#take(each);
      });
      await this.refuse();
    }
  }

  #take(version: VersionActions): void {
    this.#noteErasure(version);
    for (const action of version.actions) {
      if ('remove' in action) this.#files.delete(action.remove.path);
      else if ('add' in action) this.#files.set(action.add.path, action.add);
    }
    this.#read = version.version;
    this.#metaData = this.#opened.delta.metaData;
  }

  #noteErasure(version: VersionActions): void {
    const erasure = factsOf(version).entry?.erasure;
    for (const { path } of erasure?.files ?? []) this.#erased.set(path, version.version);
  }

  /** Columns that were added since are null in older files; all else would not fit. */
  #columnDifferences(): string[] {
    const differences: string[] = [];
    const now = new Map(columnsOf(this.#metaData).map((column) => [column.name, column]));
    for (const { name, type, isPartition } of columnsOf(this.#then.metaData)) {
      const is = now.get(name);
      if (is === undefined) differences.push(`column ${name} is no more`);
      else if (JSON.stringify(is.type) !== JSON.stringify(type))
        differences.push(`column ${name} has another type`);
      else if (is.isPartition !== isPartition)
        differences.push(`it was partitioned otherwise, by ${name} or not`);
      now.delete(name);
    }
    for (const { name, nullable } of now.values()) {
      if (!nullable) differences.push(`column ${name} may not be null, and was not there`);
    }
    return differences;
  }
}

async function goneOf(store: ObjectStore, files: readonly Add[]): Promise<Add[]> {
  const sizes = new Map((await store.list('')).map(({ path, sizeBytes }) => [path, sizeBytes]));
  return files.filter(({ path, size }) => sizes.get(path) !== size);
}

function cleanedBetween(table: string, version: number): HeadraceError {
  return new HeadraceError(
    'USAGE',
    'the log behind that version was cleaned up: what was erased since is not known',
    {
      where: { table, version },
      remedy: 'headrace lake history shows which versions can come back',
    },
  );
}
