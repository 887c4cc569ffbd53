import { systemClock } from '../../clock.js';
import { JsonRows } from '../../columnar/json-rows.js';
import { matchingRows, withoutRows } from '../../columnar/without-rows.js';
import { HeadraceError, messageOf } from '../../errors.js';
import type { Add, VersionActions } from '../../lake/delta/actions.js';
import { filesBeside } from '../../lake/maintenance/vacuum.js';
import type { ObjectInfo, ObjectStore } from '../../lake/store/store.js';
import { erasureActions, putErasure, type RewrittenPart } from '../../ledger/erasure.js';
import { factsOf } from '../../ledger/ledger.js';
import type { CompiledModel } from '../../model/types.js';
import { systemRandom } from '../../random.js';
import { formatWhole } from '../../telemetry/progress.js';
import { packageVersion } from '../../version.js';
import type { OpenedTable } from '../ledger/open-table.js';
import type { Person } from './person.js';
import type { Progress } from './progress.js';
import type { TableFiles } from './table-files.js';

export interface LakeErasureOptions {
  opened: Pick<OpenedTable, 'delta' | 'history'> & { store: ObjectStore };
  files: TableFiles;
  model: CompiledModel;
  person: Person;
  /** Of the request. */
  id: string;
  progress: Progress;
}

interface Holder {
  add: Omit<Add, 'stats'>;
  gone: readonly number[];
}

/**
 * The person's rows in the table's files, and their way out: files without them are written, and one version puts them in the old
 * ones' place. Others go on writing: after each lost race what they brought is looked through, and what they took away left alone.
 */
export class LakeErasure {
  /** Files of the table with rows of the person, by path. */
  readonly holders = new Map<string, Holder>();
  /** Files beside the table with rows of the person. */
  readonly beside: ObjectInfo[] = [];
  /** Files beside the table that could not be looked through. */
  readonly besideUnread: string[] = [];
  /** Session keys of those rows. */
  readonly sessionKeys = new Set<string>();
  /** Files that could not be looked through, and why. */
  readonly unread = new Map<string, string>();
  readonly versions: number[] = [];
  /** Files that these versions took out of the table. */
  readonly removed: string[] = [];
  erasedRows = 0;
  lookedThrough = 0;
  readonly #options: LakeErasureOptions;
  readonly #looked = new Set<string>();
  readonly #written = new Map<string, RewrittenPart>();

  constructor(options: LakeErasureOptions) {
    this.#options = options;
  }

  get rows(): number {
    return [...this.holders.values()].reduce((sum, { gone }) => sum + gone.length, 0);
  }

  /** Files of the table that may hold rows, those that were looked through before left out. Throws HeadraceError LAKE_IO. */
  async look(): Promise<void> {
    const { opened, files, progress } = this.#options;
    const { activeFiles } = opened.delta;
    for (const path of this.holders.keys()) if (!activeFiles.has(path)) this.holders.delete(path);
    const open = [...activeFiles.values()].filter(
      ({ path }) => !this.#looked.has(path) && files.mayHold(path),
    );
    for (const [index, add] of open.entries()) {
      progress.tell(
        () => `the table: ${formatWhole(index)} of ${formatWhole(open.length)} files looked through`,
      );
      this.#looked.add(add.path);
      const gone = await this.#rowsIn(add.path);
      if (gone.length > 0) this.holders.set(add.path, { add, gone });
    }
  }

  /** Files in the folder that are in the table no more, or never were. */
  async lookBeside(): Promise<void> {
    const { opened, progress } = this.#options;
    const listed = filesBeside(await opened.store.list(''), opened.delta.activeFiles);
    for (const [index, file] of listed.entries()) {
      progress.tell(
        () => `beside it: ${formatWhole(index)} of ${formatWhole(listed.length)} files looked through`,
      );
      if (this.removed.includes(file.path)) continue;
      if ((await this.#rowsIn(file.path)).length > 0) this.beside.push(file);
      if (this.unread.delete(file.path)) this.besideUnread.push(file.path);
    }
  }

  /** Until no file of the table holds a row. Throws HeadraceError LAKE_IO, LAKE_NOT_OURS. */
  async erase(): Promise<void> {
    const { opened, id } = this.#options;
    const { delta, history } = opened;
    while (this.holders.size > 0) {
      const parts = await this.#rewritten();
      const attempt = systemRandom.id63().toString(36);
      const erasure = { id, parts, semantics: history.lastSemantics ?? '', version: packageVersion() };
      const actions = erasureActions(erasure, attempt, systemClock.nowMs());
      const version = delta.version + 1;
      const outcome = await putErasure(delta, actions, { clock: systemClock, random: systemRandom });
      if (outcome === 'committed') this.#committed({ version, actions }, parts);
      await this.refresh();
    }
    await this.#dropUnused();
  }

  /** What others wrote since, and a look at it. */
  async refresh(): Promise<void> {
    await this.readOn();
    await this.look();
  }

  /** What others wrote since. */
  async readOn(): Promise<void> {
    const { delta, history } = this.#options.opened;
    await delta.refresh((version) => {
      history.apply(factsOf(version));
      this.#options.files.take(version);
    });
  }

  #committed(version: VersionActions, parts: readonly RewrittenPart[]): void {
    const { opened, files } = this.#options;
    opened.history.apply(factsOf(version));
    files.take(version);
    this.versions.push(version.version);
    for (const { from, gone, to } of parts) {
      this.removed.push(from.path);
      this.erasedRows += gone.length;
      this.holders.delete(from.path);
      this.#written.delete(from.path);
      if (to !== null) this.#looked.add(to.path);
    }
  }

  async #rewritten(): Promise<RewrittenPart[]> {
    const { progress } = this.#options;
    const parts: RewrittenPart[] = [];
    for (const [path, { add, gone }] of this.holders) {
      progress.tell(
        () => `the table: ${formatWhole(parts.length)} of ${formatWhole(this.holders.size)} files rewritten`,
      );
      let part = this.#written.get(path);
      if (part === undefined) {
        part = await this.#rewrite(add, gone);
        this.#written.set(path, part);
      }
      parts.push(part);
    }
    return parts;
  }

  async #rewrite(from: Omit<Add, 'stats'>, gone: readonly number[]): Promise<RewrittenPart> {
    const { opened, model } = this.#options;
    const bytes = await opened.store.get(from.path);
    if (bytes === null) throw missing(from.path);
    try {
      const left = withoutRows(model, bytes, gone);
      if (left === null) return { from, gone, to: null };
      const path = nextName(from.path, systemRandom.id63().toString(36));
      await opened.store.put(path, left.bytes);
      const { rows, stats } = left;
      return { from, gone, to: { path, sizeBytes: left.bytes.byteLength, rows, stats } };
    } catch (error) {
      if (error instanceof HeadraceError) throw error;
      throw notOurs(from.path, error);
    }
  }

  async #rowsIn(path: string): Promise<number[]> {
    const { opened, model, person } = this.#options;
    const bytes = await opened.store.get(path);
    if (bytes === null) {
      // gone meanwhile with whoever took it out of the table, or missing
      if (opened.delta.activeFiles.has(path)) this.unread.set(path, 'it is not there');
      return [];
    }
    try {
      const { value, keyPart } = person;
      const wanted = keyPart === null ? { value } : { pattern: keyPart.pattern };
      const rows = matchingRows(
        bytes,
        person.columns.map(({ name }) => ({ column: name, ...wanted })),
      );
      this.lookedThrough++;
      if (rows.length > 0 && !person.isKey) {
        const all = new JsonRows(model, bytes);
        for (const row of rows) this.sessionKeys.add(Buffer.from(all.key(row)).toString());
      }
      return rows;
    } catch (error) {
      this.unread.set(path, messageOf(error));
      return [];
    }
  }

  /** Files that were written for ones that others took out of the table first. */
  async #dropUnused(): Promise<void> {
    for (const { to } of this.#written.values()) {
      if (to !== null) await this.#options.opened.store.delete(to.path);
    }
  }
}

/** Another file in the same folder, in whose name it can be seen whose rest it is. */
export function nextName(path: string, random: string): string {
  return path.replace(/(-e[0-9a-z]+)?\.parquet$/, `-e${random}.parquet`);
}

function missing(path: string): HeadraceError {
  return new HeadraceError('LAKE_IO', 'a file of the table is not there', {
    where: { path },
    remedy:
      'bring it back from a copy of the table, or take it out of the table (FSCK REPAIR TABLE), and call again',
  });
}

function notOurs(path: string, error: unknown): HeadraceError {
  return new HeadraceError(
    'LAKE_NOT_OURS',
    `another tool wrote a file in a form that can't be written again here: ${messageOf(error)}`,
    {
      where: { path },
      remedy: 'delete the rows with that tool (DELETE FROM …), then call again; nothing was changed',
      cause: error,
    },
  );
}
