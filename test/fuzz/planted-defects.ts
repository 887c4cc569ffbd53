import type { CompiledModel } from '#src/model/types.js';
import { ReferenceEngine } from '../../workers/engines/reference-engine.js';
import type { EngineMaker } from './side.js';

/** Engines that are wrong by a little: what a fuzzer does not find in them, it would not find in the kernel either. */

export const REFERENCE: EngineMaker = { name: 'reference', make: (model) => new ReferenceEngine(model) };

type Columns = CompiledModel['columns'];
const withOps = (columns: Columns, change: (op: Columns[number]['op']) => Columns[number]['op']): Columns =>
  columns.map((column) => ({ ...column, op: change(column.op) }));

const DEFECTS: Readonly<Record<string, (model: CompiledModel) => CompiledModel>> = {
  'a gap that is 1 ms longer': (model) => ({ ...model, gapMs: model.gapMs + 1 }),
  'a gap that is 1 ms shorter': (model) => ({ ...model, gapMs: model.gapMs - 1 }),
  'a disorder that is 1 ms longer': (model) => ({ ...model, allowedDisorderMs: model.allowedDisorderMs + 1 }),
  'a lateness that is 1 ms longer': (model) => ({ ...model, allowedLatenessMs: model.allowedLatenessMs + 1 }),
  'a future that is 1 ms shorter': (model) => ({ ...model, maxFutureMs: model.maxFutureMs - 1 }),
  'end events that are not seen': (model) => ({ ...model, endEvent: null }),
  'conditions of which the last text is not seen': (model) => ({
    ...model,
    columns: withOps(model.columns, (op) =>
      op.op === 'count_if' ? { ...op, where: { ...op.where, oneOf: op.where.oneOf.slice(0, -1) } } : op,
    ),
  }),
  'lists of one more': (model) => ({
    ...model,
    columns: withOps(model.columns, (op) => (op.op === 'list' ? { ...op, limit: op.limit + 1 } : op)),
  }),
  'sets that keep what comes twice': (model) => ({
    ...model,
    columns: withOps(model.columns, (op) =>
      op.op === 'set' ? { ...op, op: 'list', by: null, where: null } : op,
    ),
  }),
  'first instead of last': (model) => ({
    ...model,
    columns: withOps(model.columns, (op) => (op.op === 'last' ? { ...op, op: 'first' } : op)),
  }),
  'counts that are not clamped': (model) => ({
    ...model,
    columns: model.columns.map((column) =>
      column.type === 'uint16' ? { ...column, type: 'uint32' } : column,
    ),
  }),
  'numbers that may be no uint32': (model) => ({
    ...model,
    fields: model.fields.map((field) => (field.type === 'uint32' ? { ...field, type: 'number' } : field)),
  }),
};

export const PLANTED_DEFECTS: readonly EngineMaker[] = Object.entries(DEFECTS).map(([name, change]) => ({
  name,
  make: (model) => new ReferenceEngine(change(model)),
}));
