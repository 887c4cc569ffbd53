import type { ClickHouseSettings } from '../config/load-clickhouse.js';
import type { EngineConfig } from '../config/types.js';

/** What `headrace run` was asked to do. */
export interface RunOptions {
  config: EngineConfig;
  /** Reads flags and file again (SIGHUP); left out: nothing can be read again. */
  reload?: () => EngineConfig;
  /** End at the offsets that are the last ones at the start (a backfill). */
  untilEnd: boolean;
  /** Logs as JSON; the last line of stdout of a bounded run is one JSON object. */
  json: boolean;
}

/** What `headrace demo` was asked to do. */
export interface DemoOptions {
  /** How long events are generated. */
  seconds: number;
  /** The result as one JSON object on stdout. */
  json: boolean;
  /** Keep the demo's folder when it is over. */
  keep?: boolean;
  /** The generator's rate; without it, as fast as the engine follows. */
  eventsPerSecond?: number;
}

/** What `headrace clickhouse migrate` was asked to do. */
export interface ClickHouseMigrateOptions {
  settings: ClickHouseSettings;
  /** Only say what would be done, with the statements. */
  dryRun: boolean;
  /** The result as one JSON object on stdout, and nothing else. */
  json: boolean;
}

/** Each resolves to the process's exit code. */
export type RunCommand = (options: RunOptions) => Promise<number>;
export type DemoCommand = (options: DemoOptions) => Promise<number>;
export type ClickHouseMigrateCommand = (options: ClickHouseMigrateOptions) => Promise<number>;

/** Commands load when they are called: `--help` must not wait for a native module. */
export interface CommandLoaders {
  run(): Promise<{ runCommand: RunCommand }>;
  demo(): Promise<{ demoCommand: DemoCommand }>;
  clickhouseMigrate(): Promise<{ clickhouseMigrateCommand: ClickHouseMigrateCommand }>;
}
