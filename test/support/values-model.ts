import { compileModel } from '#src/model/compile.js';
import type { CompiledModel } from '#src/model/types.js';

/** A small model with each operation that reads numbers and truths, and with columns made of others. */
export function valuesModel(gap = '10s', disorder = '15s'): CompiledModel {
  return compileModel(
    `
name: values
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  type: { type: string }
  page: { type: string }
  price: { type: number }
  step: { type: int32 }
  amount: { type: uint32 }
  paid: { type: boolean }
gap: ${gap}
allowed_disorder: ${disorder}
allowed_lateness: 20s
max_future: 4d
end_event: { field: type, in: [end, logout] }
columns:
  session_id: $session_id
  user: $key
  session_start: $session_start
  session_end: $session_end
  events: $count
  least: { op: min, field: price }
  greatest: { op: max, field: step }
  total: { op: sum, field: price }
  steps: { op: sum, field: step, type: int8 }
  amounts: { op: sum, field: amount }
  mean: { op: avg, field: price }
  started: { op: min, field: at, where: { field: type, in: [view] } }
  ended: { op: max, field: at }
  cheapest: { op: argmin, field: page, by: price }
  dearest: { op: argmax, field: page, by: price, where: { field: paid, is: true } }
  newest: { op: argmax, field: price, by: at }
  when: { op: argmax, field: at, by: step }
  first_paid: { op: first, field: paid }
  last_view: { op: last, field: page, where: [{ field: type, in: [view] }, { field: price, min: 2 }] }
  unpaid: { op: count_if, field: paid, is: false }
  odd: { op: count_if, any: [{ field: step, max: -1 }, { field: page, present: false }], type: uint8 }
  other_pages: { op: count_distinct, field: page, where: { field: type, not_in: [view, click] } }
  prices: { op: count_values, field: price, where: { field: price, min: 1, max: 3 } }
  pages: { op: list, field: page, limit: 2 }
  kinds: { op: set, field: type, limit: 1, where: { field: paid, present: true } }
  visits: { op: records, of: { page: page, paid: paid, step: step }, where: { field: step, present: true }, limit: 2 }
  pages_left: { op: overflow, of: pages }
  kinds_left: { op: overflow, of: kinds, type: uint16 }
  visits_left: { op: overflow, of: visits }
  source: { op: constant, value: web }
  weight: { op: constant, value: 300, type: uint8 }
  name: { op: concat, of: [source, cheapest, events, first_paid], separator: '-' }
  per_event: { op: calculate, formula: total / events }
  bounce: { op: calculate, formula: events == 1 }
  engaged: { op: calculate, formula: session_end - session_start >= 10000 or events > 2 }
  rounded: { op: calculate, formula: 'round(mean * 10) / 10 + max(steps, 0) - -1' }
  low: { op: calculate, formula: total - 1000, type: int8 }
  lane: $partition
  from_offset: $first_offset
  to_offset: $last_offset
  created_at: $cut_time
  batch_id: $batch
  file_id: $file
  closed_by: $closed_by
  revision: $revision
  sign: $sign
`,
    'values.yaml',
  );
}
