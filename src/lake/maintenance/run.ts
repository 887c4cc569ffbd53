import type { Clock } from '../../clock.js';
import { deltaSchema } from '../../columnar/schema.js';
import { HeadraceError } from '../../errors.js';
import type { CompiledModel } from '../../model/types.js';
import type { Random } from '../../random.js';
import { DeltaLog } from '../delta/log.js';
import { schemaDifferences } from '../delta/schema.js';
import type { ObjectStore } from '../store/store.js';
import { IoPace } from './pace.js';
import type { RewriteDraft } from './rewrite-actions.js';
import type { RewriteSettings } from './settings.js';
import { TableIndex } from './table-index.js';

/** What a version of maintenance was for. */
export type MaintenanceKind = 'fold' | 'compact' | 'expire' | 'archive';

export interface MaintenanceDraft extends RewriteDraft {
  kind: MaintenanceKind;
  /** What else the ledger's entry is to say. */
  detail?: Record<string, unknown>;
}

export interface MaintenanceOptions {
  store: ObjectStore;
  model: CompiledModel;
  settings: RewriteSettings;
  clock: Clock;
  random: Random;
  /**
   * Puts the draft as the table's next version, against all that others put before. Null: one of the files that it removes is in the
   * table no more, so nothing was put, and the draft's rows count for nothing.
   */
  commit(draft: MaintenanceDraft): Promise<number | null>;
  /** A line on what is going on. */
  tell(text: () => string): void;
  /** Between two steps of work: what else the thread has to do. */
  pause?(): Promise<void>;
  signal?: AbortSignal;
  /** For an archive. */
  keepStats?: boolean;
}

/**
 * One run of maintenance over a table: its log as far as it was read, the files in it, and what is done to them. Others write the table
 * meanwhile; every step ends in one version, which is put only while all that it takes out is still there.
 */
export class MaintenanceRun {
  readonly options: MaintenanceOptions;
  readonly log: DeltaLog;
  readonly index: TableIndex;
  readonly pace: IoPace;

  private constructor(options: MaintenanceOptions, log: DeltaLog, index: TableIndex) {
    this.options = options;
    this.log = log;
    this.index = index;
    this.pace = new IoPace(options.settings.ioBytesPerSecond, options.clock);
  }

  /** Throws HeadraceError LAKE_NOT_OURS (no table), LAKE_LOG_CORRUPT, LAKE_IO. */
  static async open(options: MaintenanceOptions): Promise<MaintenanceRun> {
    const { store, model } = options;
    const index = new TableIndex(indexColumns(model), options.keepStats);
    const log = await DeltaLog.open(store, {
      keepFiles: true,
      onCheckpoint: async ({ version, actions, note, readKept }) => {
        index.begin(version, actions, note);
        for (const each of await readKept()) index.take(each);
      },
      onVersion: (version) => index.take(version),
    });
    if (log === null) {
      throw new HeadraceError('LAKE_NOT_OURS', 'there is no Delta table', { where: { table: store.url } });
    }
    const differences = schemaDifferences(log.metaData.schema, deltaSchema(model));
    if (differences.length > 0) {
      throw new HeadraceError(
        'LAKE_NOT_OURS',
        `the table has other columns than the model: ${differences[0]}`,
        {
          where: { table: store.url, version: log.metaDataVersion },
          remedy: 'give the model that the engine runs with; nothing was changed',
        },
      );
    }
    return new MaintenanceRun(options, log, index);
  }

  /** What others (and our own commits) brought since. */
  async refresh(): Promise<void> {
    await this.log.refresh((version) => this.index.take(version));
  }

  get isStopped(): boolean {
    return this.options.signal?.aborted === true;
  }

  /** Null: it was taken out of the table, and deleted, meanwhile. Throws HeadraceError LAKE_IO, LAKE_LOG_CORRUPT. */
  async read(path: string, sizeBytes: number): Promise<Uint8Array | null> {
    const { store, signal } = this.options;
    await this.pace.spend(sizeBytes, signal);
    const bytes = await store.get(path);
    if (bytes === null) {
      await this.refresh();
      if (!this.index.files.has(path)) return null;
      throw new HeadraceError('LAKE_IO', 'a file of the table is not there', {
        where: { table: store.url, path },
        remedy: 'bring it back from a copy of the table, or take it out of the table (FSCK REPAIR TABLE)',
      });
    }
    if (bytes.byteLength === sizeBytes) return bytes;
    throw new HeadraceError(
      'LAKE_LOG_CORRUPT',
      `a file of the table has ${bytes.byteLength} bytes, not ${sizeBytes} as its log says`,
      {
        where: { table: store.url, path },
        remedy: 'bring it back from a copy of the table; nothing was changed',
      },
    );
  }
}

export function indexColumns({ columns, columnIndex }: CompiledModel): { sign: string; start: string } {
  return { sign: columns[columnIndex.sign]!.name, start: columns[columnIndex.session_start]!.name };
}
