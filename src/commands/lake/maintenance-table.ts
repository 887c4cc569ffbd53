import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { rewriteSettings } from '../../lake/maintenance/cluster-columns.js';
import { MaintenanceRun } from '../../lake/maintenance/run.js';
import { Ledger } from '../../ledger/ledger.js';
import { loadModel } from '../../model/load.js';
import { systemRandom } from '../../random.js';
import { createLog, type Log } from '../../telemetry/log.js';
import { packageVersion } from '../../version.js';
import { checkOwner, type OpenedTable, openTable } from '../ledger/open-table.js';

/** What every command that maintains a table is told. */
export interface MaintenanceCommandOptions {
  config: EngineConfig;
  /** Session dates; none: all. */
  partitions: readonly string[];
  /** By hand: not within `io_bytes_per_second`. */
  unlimited: boolean;
  json: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
}

export interface OpenedMaintenance {
  run: MaintenanceRun;
  opened: OpenedTable;
  log: Log;
  /** Values of the partitions that are meant, as files have them; undefined: all. */
  partitions: ReadonlySet<string> | undefined;
}

const TELL_MS = 2_000;

/** A run over the table, whose versions go between those of the engines that write it. Throws HeadraceError. */
export async function openMaintenance(
  options: MaintenanceCommandOptions,
  more: { clusterBy?: readonly string[]; keepStats?: boolean } = {},
): Promise<OpenedMaintenance> {
  const { config, json, stderr, unlimited } = options;
  const log = createLog({ level: config.log.level, format: json ? 'json' : config.log.format });
  const model = loadModel(config.model);
  const opened = await openTable(config.lake);
  checkOwner(opened, config.kafka);
  const { delta, history, owner, store } = opened;
  const ledger = new Ledger(delta, history, {
    log,
    clock: systemClock,
    random: systemRandom,
    engineId: `operator-${systemRandom.id63().toString(36)}`,
    ...owner,
    topicId: history.topicIds().at(-1) ?? 'none',
    semantics: history.lastSemantics ?? '',
    version: packageVersion(),
    onForeign: () => {},
  });
  // before the run reads the table: what is taken out of it from here on is known
  const removals = ledger.watchRemovals();
  const settings = rewriteSettings(config.maintenance, model, more.clusterBy);
  let toldMs = systemClock.monotonicMs();
  const run = await MaintenanceRun.open({
    store,
    model,
    settings: unlimited ? { ...settings, ioBytesPerSecond: null } : settings,
    clock: systemClock,
    random: systemRandom,
    commit: (draft) => ledger.commitMaintenance(draft, { kind: draft.kind, ...draft.detail }, removals),
    tell: (text) => {
      if (json || systemClock.monotonicMs() - toldMs < TELL_MS) return;
      toldMs = systemClock.monotonicMs();
      stderr(`${text()}\n`);
    },
    ...(more.keepStats === true ? { keepStats: true } : {}),
  });
  const named = options.partitions.map((day) => JSON.stringify({ [model.partitionColumn]: day }));
  return { run, opened, log, partitions: named.length === 0 ? undefined : new Set(named) };
}
