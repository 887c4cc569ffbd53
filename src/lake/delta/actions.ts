/**
 * The actions of a Delta log, in the shape they have in its files: one object with one key a line. Differences in memory:
 * paths are unencoded, a transaction's version is a bigint, an action of a kind we do not know is kept as `unknown`.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#actions
 */

export interface CommitInfo {
  /** ms since 1970 */
  timestamp: number;
  operation: string;
  /** Readers want strings here. */
  operationParameters?: Record<string, string>;
  isBlindAppend?: boolean;
  engineInfo?: string;
  /** Ours: at least `attempt`, by which an attempt of ours is told from another's; the ledger's entry otherwise. */
  headrace?: unknown;
  [key: string]: unknown;
}

export interface Protocol {
  minReaderVersion: number;
  minWriterVersion: number;
  readerFeatures?: string[] | undefined;
  writerFeatures?: string[] | undefined;
}

export interface MetaDataAction {
  /** A UUID. */
  id: string;
  name?: string | undefined;
  description?: string | undefined;
  format: { provider: string; options: Record<string, string> };
  schemaString: string;
  partitionColumns: string[];
  configuration: Record<string, string>;
  /** ms since 1970 */
  createdTime?: number | undefined;
}

export interface Add {
  /** Below the table's folder, unencoded. */
  path: string;
  /** Unescaped; null is the null partition. */
  partitionValues: Record<string, string | null>;
  /** Exact length in bytes. */
  size: number;
  /** ms since 1970 */
  modificationTime: number;
  dataChange: boolean;
  /** JSON text */
  stats?: string | undefined;
  tags?: Record<string, string | null> | undefined;
}

export interface Remove {
  /** Below the table's folder, unencoded. */
  path: string;
  deletionTimestamp?: number | undefined;
  dataChange: boolean;
  extendedFileMetadata?: boolean | undefined;
  partitionValues?: Record<string, string | null> | undefined;
  size?: number | undefined;
}

export interface Txn {
  appId: string;
  version: bigint;
  /** ms since 1970 */
  lastUpdated?: number | undefined;
}

export type Action =
  | { commitInfo: CommitInfo }
  | { protocol: Protocol }
  | { metaData: MetaDataAction }
  | { txn: Txn }
  | { remove: Remove }
  | { add: Add }
  | { unknown: { name: string; value: unknown } };

/** One version of the table. */
export interface VersionActions {
  version: number;
  actions: readonly Action[];
}

/** The commitInfo of a version, or null: other writers may leave it out. */
export function commitInfoOf(actions: readonly Action[]): CommitInfo | null {
  for (const action of actions) if ('commitInfo' in action) return action.commitInfo;
  return null;
}

/** App ids of lanes that a version of ours moves by an operator's word: headrace.moved. */
export function movedLanesOf(actions: readonly Action[]): ReadonlySet<string> {
  const headrace = commitInfoOf(actions)?.headrace as { moved?: unknown } | null | undefined;
  return new Set(Array.isArray(headrace?.moved) ? (headrace.moved as string[]) : []);
}

/** The id of the attempt that wrote a version, or null: it is not ours. */
export function attemptOf(actions: readonly Action[]): string | null {
  const headrace = commitInfoOf(actions)?.headrace as { attempt?: unknown } | null | undefined;
  return typeof headrace?.attempt === 'string' ? headrace.attempt : null;
}
