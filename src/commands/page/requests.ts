import type { EngineConfig, LakeConfig } from '../../config/types.js';
import type { FilterFlags } from '../dlq/filter.js';

/** What an engine has looked at, or done, in the page's process. Plain data. */
export type PageRequest =
  | { kind: 'versions'; lake: LakeConfig; newest: number }
  | { kind: 'version'; lake: LakeConfig; version: number }
  | { kind: 'letters'; lake: LakeConfig; model: string; filter: FilterFlags; newest: number }
  | { kind: 'sessions'; lake: LakeConfig; model: string; after: number; upTo: number; filter: string }
  | { kind: 'events'; config: EngineConfig; partitions: number[]; after: EventPositions; filter: string }
  | { kind: 'replay'; config: EngineConfig; filter: FilterFlags; refusedToo: boolean; yes: boolean };

/** By partition, the offset behind the last one that was looked at. */
export type EventPositions = Readonly<Record<number, number>>;
