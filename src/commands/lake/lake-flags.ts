import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { toLoad } from '../engine-flags.js';
import type { LakeName } from './open-lake.js';

/** Flags that the lake's commands share. */

export type LoadConfig = (options: { file?: string; flags: ConfigFlags }) => EngineConfig;

export interface TableFlags {
  config?: string;
  lake?: string;
  json?: boolean;
}

export interface AtFlags {
  version?: string;
  asOf?: string;
}

/** Which table. */
export function tableFlags(command: Command): Command {
  return command
    .option('--config <file>', "the engine's YAML file, for its table")
    .option('--lake <folder>', 'the table, or the folder that holds it');
}

/** Which of its versions. */
export function atFlags(command: Command): Command {
  return command
    .option('--version <n>', 'as this version left it')
    .option('--as-of <time>', 'as it was then: 2026-01-31T12:00:00Z, or 2h ago');
}

/** Throws HeadraceError USAGE, and what loading the file throws. */
export function tableOf({ config, lake }: TableFlags, load: LoadConfig): LakeName {
  if (lake !== undefined) return lake;
  if (config !== undefined) return load(toLoad({ config })).lake;
  throw new HeadraceError('USAGE', 'which table? neither --lake nor --config was given', {
    remedy: 'headrace lake history --help shows how',
  });
}

export function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

export function wholeNumber(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new HeadraceError('USAGE', `${flag} must be a whole number, not ${JSON.stringify(text)}`);
  };
}
