import type { MessagePort } from 'node:worker_threads';
import type { LakeConfig, MaintenanceConfig } from '../config/types.js';
import type { GuardPlace } from '../lake/maintenance/follower-guard.js';
import type { RoundReport } from '../lake/maintenance/round.js';
import type { MaintenanceDraft } from '../lake/maintenance/run.js';
import type { StoreRetry } from '../lake/store/store-retries.js';
import type { CompiledModel } from '../model/types.js';

/** What the thread that maintains the table and the main thread say to each other. It reads and writes files; the main thread commits. */
export interface MaintenanceTask {
  place: LakeConfig;
  model: CompiledModel;
  config: MaintenanceConfig;
  /** Delete files too; it is not due at each round. */
  isVacuumDue: boolean;
  port: MessagePort;
}

/** Beside the questions, unanswered: the thread's modules are loaded; an object store did not do what it was asked, and is asked again. */
export type MaintenanceNews = { begun: true } | { retry: StoreRetry };

/** One question at a time. */
export type MaintenanceQuestion = { ask: 'commit'; draft: MaintenanceDraft } | { ask: 'followers' };

export type MaintenanceAnswer =
  | { version: number | null }
  | { places: GuardPlace[]; silent: string[] }
  | { stop: true }
  | { failed: string };

export type MaintenanceResult = RoundReport & { ioBytes: number };
