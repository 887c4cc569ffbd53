import { compileModel } from '#src/model/compile.js';
import type { CompiledModel } from '#src/model/types.js';

/**
 * A small model with each operation that holds or counts several values, over the
 * fields of TinyEvent.
 */

export interface CollectionsOptions {
  limit?: number;
  gap?: string;
  disorder?: string;
}

export function collectionsModel(options: CollectionsOptions = {}): CompiledModel {
  const { limit = 100, gap = '10s', disorder = '5s' } = options;
  return compileModel(
    `
name: collections
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  type: { type: string }
  page: { type: string }
  title: { type: string }
  amount: { type: uint32 }
gap: ${gap}
allowed_disorder: ${disorder}
allowed_lateness: 20s
max_future: 4d
end_event: { field: type, in: [end, logout] }
columns:
  session_id: { op: session_id, template: '{key}' }
  user: { op: key }
  session_start: { op: session_start }
  session_end: { op: session_end }
  events: { op: count }
  visits: { op: count_values, field: page }
  amounts: { op: count_values, field: amount, type: uint64 }
  pages: { op: list, field: page, limit: ${limit} }
  pages_json: { op: list, field: page, limit: ${limit}, as: json }
  viewed: { op: list, field: page, limit: ${limit}, where: { field: type, in: [view, click] } }
  titles: { op: list, field: title, by: page, limit: ${limit}, as: json }
  ids: { op: list, field: page, by: page, where: { field: type, in: [view, click] }, limit: ${limit}, as: json }
  names: { op: list, field: title, by: page, where: { field: type, in: [view, click] }, limit: ${limit}, as: json }
  distinct: { op: set, field: page, limit: ${limit}, as: json }
  steps: { op: records, of: { t: at, kind: type, page: page, amount: amount }, present: page, limit: ${limit} }
  all: { op: records, of: { user: user, title: title }, limit: ${limit} }
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`,
    'collections.yaml',
  );
}
