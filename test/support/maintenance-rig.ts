import type { Seal } from '#src/columnar/encode.js';
import type { Action } from '#src/lake/delta/actions.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { ensureTable } from '#src/lake/delta/table.js';
import { type MaintenanceOptions, MaintenanceRun } from '#src/lake/maintenance/run.js';
import type { RewriteSettings } from '#src/lake/maintenance/settings.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { Ledger } from '#src/ledger/ledger.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { readColumns } from './columnar-read.js';
import { openLedger, SOURCE } from './fake-ledger.js';
import { MemoryStore } from './fake-store.js';
import { HurriedClock } from './fake-time.js';
import { commitInfo, writeRows } from './lake-table.js';

/** A table that is written and maintained, by real ledgers over one store. */

export const SMALL: RewriteSettings = {
  smallFileBytes: 64 * 2 ** 20,
  targetFileBytes: 128 * 2 ** 20,
  filesMin: 2,
  memoryBytes: 2 ** 30,
  ioBytesPerSecond: null,
  clusterBy: [],
};

export class MaintainedTable<Store extends ObjectStore = MemoryStore> {
  readonly random = seededRandom(7);
  #files = 0;
  #engine: Ledger | null = null;

  private constructor(
    readonly store: Store,
    readonly clock: HurriedClock,
    private own: CompiledModel,
  ) {}

  static async create(model: CompiledModel): Promise<MaintainedTable> {
    const clock = new HurriedClock();
    return await MaintainedTable.createIn(new MemoryStore(() => clock.nowMs()), model, clock);
  }

  static async createIn<Store extends ObjectStore>(
    store: Store,
    model: CompiledModel,
    clock: HurriedClock,
  ): Promise<MaintainedTable<Store>> {
    const entry = { engine: 'creator', semantics: 'rules', cuts: [] };
    await ensureTable(store, model, SOURCE, { commitInfo: commitInfo('create', entry) });
    return new MaintainedTable(store, clock, model);
  }

  get model(): CompiledModel {
    return this.own;
  }

  /** Another engine goes on, by a model to whose columns the table was brought. */
  goOnWith(model: CompiledModel): void {
    this.own = model;
    this.#engine = null;
  }

  async ledger(engineId = 'maintenance', store: ObjectStore = this.store): Promise<Ledger> {
    return await openLedger(store, { engineId, clock: this.clock, random: this.random });
  }

  /** One version of an engine's, with a file for each date. Answers their paths. */
  async append(rows: readonly Row[]): Promise<string[]> {
    this.#engine ??= await this.ledger('engine');
    await this.#engine.refresh();
    const seal: Seal = { createdAtMs: 1, batchId: 1n, fileId: BigInt(++this.#files) };
    const adds = await writeRows(this.store, this.model, rows, seal);
    const log = await DeltaLog.open(this.store);
    const files = adds.map((add) => ({ path: pathOf(add), rows: 1, lanes: [0] }));
    const cut = { id: String(this.#files), createdAtMs: 1, lanes: [], deadLetterFiles: [], files };
    const info = {
      ...commitInfo(`engine-${this.#files}`, { engine: 'engine', semantics: 'rules', cuts: [cut] }),
      timestamp: this.clock.nowMs(),
    };
    const outcome = await log!.tryCommit(log!.version + 1, [{ commitInfo: info }, ...adds]);
    if (outcome !== 'committed') throw new Error(outcome);
    return adds.map(pathOf);
  }

  /** A run that puts its versions through a ledger of its own. */
  async run(more: Partial<MaintenanceOptions> = {}): Promise<MaintenanceRun> {
    const store = more.store ?? this.store;
    const ledger = await this.ledger('maintenance', store);
    const removals = ledger.watchRemovals();
    return await MaintenanceRun.open({
      store,
      model: this.model,
      settings: SMALL,
      clock: this.clock,
      random: this.random,
      commit: (draft) => ledger.commitMaintenance(draft, { kind: draft.kind, ...draft.detail }, removals),
      tell: (text) => {
        text();
      },
      ...more,
    });
  }

  async files(): Promise<string[]> {
    const log = await DeltaLog.open(this.store, { keepFiles: true });
    return [...log!.activeFiles.keys()].sort();
  }

  /** The rows of the table as it is now, the columns by name, with the day of the folder. */
  async rows(): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for (const path of await this.files()) found.push(...rowsOf((await this.store.get(path))!, path));
    return found;
  }

  /** Σ sign by content, zeros left out. */
  async sums(): Promise<Map<string, number>> {
    return sumsOf(await this.rows());
  }
}

export function rowsOf(bytes: Uint8Array, path: string): Record<string, unknown>[] {
  const columns = readColumns(bytes);
  const names = Object.keys(columns);
  const day = /session_date=([^/]+)/.exec(path)?.[1];
  return (columns[names[0]!] ?? []).map((_, row) => ({
    ...Object.fromEntries(names.map((name) => [name, columns[name]![row]])),
    session_date: day,
  }));
}

const NO_CONTENT = new Set(['created_at', 'batch_id', 'file_id', 'sign']);

export function contentOf(row: Record<string, unknown>): string {
  const entries = Object.entries(row).filter(([name]) => !NO_CONTENT.has(name));
  return JSON.stringify(entries, (_, value) =>
    typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value,
  );
}

export function sumsOf(rows: readonly Record<string, unknown>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows) {
    const content = contentOf(row);
    const sum = (sums.get(content) ?? 0) + Number(row.sign);
    if (sum === 0) sums.delete(content);
    else sums.set(content, sum);
  }
  return new Map([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function pathOf(action: Action): string {
  return 'add' in action ? action.add.path : '';
}
