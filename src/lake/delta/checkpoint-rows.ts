/**
 * What a checkpoint has of each kind of action, in the protocol's types. One row is one action; the fields that are not there are
 * null. Everything else that other tools write besides (parsed statistics, features' own fields) is not looked at.
 */
export type FieldType =
  | 'int'
  | 'long'
  | 'bool'
  | 'text'
  | 'texts'
  | 'map'
  | { readonly [name: string]: FieldType };

export const CHECKPOINT_FIELDS = {
  protocol: {
    minReaderVersion: 'int',
    minWriterVersion: 'int',
    readerFeatures: 'texts',
    writerFeatures: 'texts',
  },
  metaData: {
    id: 'text',
    name: 'text',
    description: 'text',
    format: { provider: 'text', options: 'map' },
    schemaString: 'text',
    partitionColumns: 'texts',
    configuration: 'map',
    createdTime: 'long',
  },
  txn: { appId: 'text', version: 'long', lastUpdated: 'long' },
  remove: {
    path: 'text',
    deletionTimestamp: 'long',
    dataChange: 'bool',
    extendedFileMetadata: 'bool',
    partitionValues: 'map',
    size: 'long',
  },
  add: {
    path: 'text',
    partitionValues: 'map',
    size: 'long',
    modificationTime: 'long',
    dataChange: 'bool',
    stats: 'text',
    tags: 'map',
  },
} as const satisfies Record<string, { readonly [name: string]: FieldType }>;

export type CheckpointKind = keyof typeof CHECKPOINT_FIELDS;
export const CHECKPOINT_KINDS = Object.keys(CHECKPOINT_FIELDS) as CheckpointKind[];

/**
 * One action as a checkpoint has it: paths URL-encoded as in the log's JSON, whole numbers as number, or as bigint beyond 2⁵³. Fields
 * that are null are left out.
 */
export interface CheckpointRow {
  kind: CheckpointKind;
  value: Record<string, unknown>;
}

/** In one form, so that what two readers make of a row can be compared. */
export function rowText({ kind, value }: CheckpointRow): string {
  return `${kind} ${canonicalText(value)}`;
}

function canonicalText(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${JSON.stringify(name)}:${canonicalText(each)}`);
  return `{${members.join(',')}}`;
}
