import type { EngineConfig } from '../../config/types.js';
import type { AdjustableLog } from '../../telemetry/log.js';

export interface ReloadOptions {
  /** What the engine began with. */
  config: EngineConfig;
  /** Reads flags and file again. Throws what is wrong with them. */
  load(): EngineConfig;
  log: AdjustableLog;
  onReloaded(): void;
}

/** SIGHUP: the settings are read again. What can change while an engine runs does; what can't is named, and holds from the next start. */
export function reloadOnHangup(options: ReloadOptions): void {
  process.on('SIGHUP', () => {
    reload(options);
    options.onReloaded();
  });
}

export function reload({ config, load, log }: Omit<ReloadOptions, 'onReloaded'>): void {
  let next: EngineConfig;
  try {
    next = load();
  } catch (error) {
    log.error(
      { error: `${error}` },
      'the settings are wrong now: the engine goes on with those it has; mend them before it is started again',
    );
    return;
  }
  log.setLevel(next.log.level);
  const waiting = changedSections(config, next);
  const level = next.log.level;
  if (waiting.length === 0) log.info({ level }, 'settings read again');
  else
    log.warn(
      { level, changed: waiting.join(',') },
      'settings read again; of these, changes hold from the next start on',
    );
}

/** Sections that differ, what can change while it runs left out. */
function changedSections(before: EngineConfig, now: EngineConfig): string[] {
  const text = (config: EngineConfig, section: keyof EngineConfig) =>
    JSON.stringify(section === 'log' ? { ...config.log, level: null } : config[section], (_, value) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
  const sections = Object.keys(before) as (keyof EngineConfig)[];
  return sections.filter((section) => text(before, section) !== text(now, section));
}
