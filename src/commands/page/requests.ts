import type { LakeConfig } from '../../config/types.js';

/** What an engine has looked at, or done, in the page's process. Plain data. */
export type PageRequest =
  | { kind: 'versions'; lake: LakeConfig; newest: number }
  | { kind: 'version'; lake: LakeConfig; version: number };
