/** Each table has each of these once, under its own name: ledger, sinks and people find a row's place by them. */
export const SHARED_COLUMNS = [
  'session_id',
  'session_start',
  'created_at',
  'batch_id',
  'file_id',
  'closed_by',
  'revision',
  'sign',
] as const;
