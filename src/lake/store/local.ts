import { type Dirent, promises as nodeFs } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Clock, systemClock } from '../../clock.js';
import { type CrashPoint, crashPoint } from '../../crash-points.js';
import { HeadraceError } from '../../errors.js';
import { type Random, systemRandom } from '../../random.js';
import { halfWayOf } from './half-way.js';
import {
  codeOf,
  isDiskFull,
  isLinkUnsupported,
  isMissing,
  lakeIoError,
  noHardLinks,
} from './local-errors.js';
import { isObjectPath, notBelowTable } from './object-path.js';
import type { ObjectInfo, ObjectStore } from './store.js';

/**
 * A table in a local folder.
 *
 * Nothing is ever seen half: bytes go to a temporary file in the target's folder and get their name in one step. For
 * putIfAbsent that step is link(2), which fails when the name is taken; rename(2) would overwrite. Nothing that was
 * answered is lost by a power cut: the file is synced before it gets its name and the folder after it, as are the
 * parents of new folders.
 *
 * Rows, dead letters and snapshots hold personal data: whoever is neither the user nor in the group gets nothing, whatever the umask.
 */

/** Readers of the table pass over names that begin with a dot. */
export const TEMP_PREFIX = '.tmp-';
/** A temporary file of this age belongs to a process that is dead: writing one takes seconds. */
const TEMP_AGE_MS_MAX = 3_600_000;
/** The umask takes more away. */
const FILE_MODE = 0o660;
const FOLDER_MODE = 0o770;

/** The calls to the file system, so that a test can let one fail. */
export type LocalFs = Pick<
  typeof nodeFs,
  'open' | 'link' | 'rename' | 'unlink' | 'mkdir' | 'readdir' | 'stat' | 'readFile'
>;

export interface LocalStoreOptions {
  clock?: Clock;
  random?: Random;
  fs?: LocalFs;
}

export class LocalStore implements ObjectStore {
  readonly url: string;
  readonly #root: string;
  readonly #fs: LocalFs;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Folders that were made, and synced into their parents, by this store. */
  readonly #knownFolders = new Set<string>();

  /** `root` need not exist: the first write makes it. */
  constructor(root: string, options: LocalStoreOptions = {}) {
    this.#root = resolve(root);
    this.url = pathToFileURL(this.#root).href;
    this.#fs = options.fs ?? nodeFs;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  /** Makes the folder with its parents and clears away what dead writers left behind. Throws LAKE_UNWRITABLE, LAKE_IO. */
  static async open(root: string, options: LocalStoreOptions = {}): Promise<LocalStore> {
    const store = new LocalStore(root, options);
    try {
      await store.#ensureFolder(store.#root);
    } catch (error) {
      const failure = lakeIoError('make the folder', store.#root, error);
      if (isDiskFull(failure)) throw failure;
      const { message, where, remedy } = failure;
      throw new HeadraceError('LAKE_UNWRITABLE', message, {
        where,
        remedy: remedy ?? 'name a folder with --lake that can be made and written',
        cause: error,
      });
    }
    await store.#removeLeftovers();
    return store;
  }

  /** The table's folder, absolute. */
  get root(): string {
    return this.#root;
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'unknown'> {
    const target = this.#absolute(path);
    return await this.#try('create', path, async () => {
      const temp = await this.#writeTemp(target, bytes);
      let exists = false;
      try {
        await this.#fs.link(temp, target);
      } catch (error) {
        if (isLinkUnsupported(error)) throw noHardLinks(target, error);
        if (codeOf(error) !== 'EEXIST') throw error;
        exists = true;
      } finally {
        await this.#removeTemp(temp);
      }
      // Also when it was there: its writer may have died before this, and the caller will build on it.
      await this.#syncFolder(dirname(target));
      return exists ? 'exists' : 'created';
    });
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const target = this.#absolute(path);
    await this.#try('write', path, async () => {
      const temp = await this.#writeTemp(target, bytes);
      try {
        await this.#fs.rename(temp, target);
      } catch (error) {
        await this.#removeTemp(temp);
        throw error;
      }
      await this.#syncFolder(dirname(target));
    });
  }

  async get(path: string): Promise<Uint8Array | null> {
    const target = this.#absolute(path);
    return await this.#try('read', path, async () => {
      try {
        return await this.#fs.readFile(target);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  }

  async list(prefix: string, startAfter?: string): Promise<ObjectInfo[]> {
    const folder = prefix === '' ? '' : prefix.replace(/\/$/, '');
    const objects: ObjectInfo[] = [];
    const isWanted = (path: string) => startAfter === undefined || path > startAfter;
    await this.#try('list', prefix, () => this.#walk(folder, false, objects, isWanted));
    return objects.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async delete(path: string): Promise<void> {
    const target = this.#absolute(path);
    await this.#try('delete', path, async () => {
      try {
        await this.#fs.unlink(target);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  /** Writes and syncs a temporary file beside `target`. A folder that went away since (an emptied partition) is made anew. */
  async #writeTemp(target: string, bytes: Uint8Array): Promise<string> {
    const folder = dirname(target);
    const halfWay = halfWayOf(target);
    const temp = join(folder, `${TEMP_PREFIX}${process.pid}-${this.#random.id63().toString(36)}`);
    await this.#ensureFolder(folder);
    try {
      await this.#writeSynced(temp, bytes, halfWay);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      this.#knownFolders.clear();
      await this.#ensureFolder(folder);
      await this.#writeSynced(temp, bytes, halfWay);
    }
    return temp;
  }

  async #writeSynced(temp: string, bytes: Uint8Array, halfWay: CrashPoint | null): Promise<void> {
    const file = await this.#fs.open(temp, 'wx', FILE_MODE);
    const written = halfWay === null ? 0 : bytes.byteLength >> 1;
    try {
      if (halfWay !== null) {
        await file.writeFile(bytes.subarray(0, written));
        crashPoint(halfWay);
      }
      await file.writeFile(bytes.subarray(written));
      await file.sync();
    } catch (error) {
      await file.close();
      await this.#removeTemp(temp);
      throw error;
    }
    await file.close();
  }

  async #removeTemp(temp: string): Promise<void> {
    // What stays is invisible to readers and cleared away at a later start.
    await this.#fs.unlink(temp).catch(() => undefined);
  }

  async #ensureFolder(folder: string): Promise<void> {
    if (this.#knownFolders.has(folder)) return;
    await this.#makeFolder(folder);
    this.#knownFolders.add(folder);
  }

  /**
   * One level at a time: Node 20's recursive mkdir never ends where the last level answers ENOENT although its parent is
   * there, as in /proc.
   */
  async #makeFolder(folder: string): Promise<void> {
    const parent = dirname(folder);
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#fs.mkdir(folder, FOLDER_MODE);
        break;
      } catch (error) {
        // another made it; it may have died before it synced the parent
        if (codeOf(error) === 'EEXIST' && (await this.#fs.stat(folder)).isDirectory()) break;
        if (codeOf(error) !== 'ENOENT' || parent === folder) throw error;
        const parentIsThere = await this.#isThere(parent);
        // once more: another may have made the parent between the two questions
        if (parentIsThere && attempt > 0) throw error;
        if (!parentIsThere) await this.#makeFolder(parent);
      }
    }
    await this.#syncFolder(parent);
  }

  async #isThere(path: string): Promise<boolean> {
    return await this.#fs.stat(path).then(
      () => true,
      () => false,
    );
  }

  async #syncFolder(folder: string): Promise<void> {
    const handle = await this.#fs.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Collects the files below a folder; those that vanish meanwhile are left out. */
  async #walk(
    folder: string,
    temps: boolean,
    found: ObjectInfo[],
    isWanted: (path: string) => boolean = () => true,
  ): Promise<void> {
    let entries: Dirent[];
    try {
      const path = folder === '' ? this.#root : this.#absolute(folder);
      entries = await this.#fs.readdir(path, { withFileTypes: true });
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) await this.#walk(path, temps, found, isWanted);
      else if (!isWanted(path)) continue;
      else if (entry.isFile() && entry.name.startsWith(TEMP_PREFIX) === temps) {
        const stat = await this.#fs.stat(join(this.#root, path)).catch((error: unknown) => {
          if (isMissing(error)) return null;
          throw error;
        });
        if (stat !== null) found.push({ path, sizeBytes: stat.size, modifiedMs: stat.mtimeMs });
      }
    }
  }

  /** Only in what is a table already: another folder is not ours to walk through. */
  async #removeLeftovers(): Promise<void> {
    await this.#try('clear temporary files', '', async () => {
      const isTable = await this.#fs.stat(join(this.#root, '_delta_log')).catch(() => null);
      if (isTable === null) return;
      const temps: ObjectInfo[] = [];
      await this.#walk('', true, temps);
      for (const temp of temps) {
        if (this.#clock.nowMs() - temp.modifiedMs < TEMP_AGE_MS_MAX) continue;
        await this.#removeTemp(join(this.#root, temp.path));
      }
    });
  }

  #absolute(path: string): string {
    const parts = path.split('/');
    if (!isObjectPath(path) || parts.some((part) => part.startsWith(TEMP_PREFIX)))
      throw notBelowTable(path, this.url);
    return join(this.#root, ...parts);
  }

  async #try<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw lakeIoError(action, join(this.#root, path), error);
    }
  }
}
