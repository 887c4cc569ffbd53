import type { ColumnOp, CompiledModel, Condition, GapField, WindowRules } from '#src/model/types.js';
import type { LaneEngine } from '../../workers/engines/engine.js';
import { ReferenceEngine } from '../../workers/engines/reference-engine.js';
import type { EngineMaker } from './side.js';

/** Engines that are wrong by a little: what a fuzzer does not find in them, it would not find in the kernel either. */

export const REFERENCE: EngineMaker = { name: 'reference', make: (model) => new ReferenceEngine(model) };

/** The model with each of these ops changed a little. */
function withOp<Op extends ColumnOp['op']>(
  model: CompiledModel,
  name: Op,
  change: (op: Extract<ColumnOp, { op: Op }>) => ColumnOp,
): CompiledModel {
  const isMeant = (op: ColumnOp): op is Extract<ColumnOp, { op: Op }> => op.op === name;
  const columns = model.columns.map((column) => ({
    ...column,
    op: isMeant(column.op) ? change(column.op) : column.op,
  }));
  return { ...model, columns };
}

/** The model with its conditions changed, wherever they stand. */
function withConditions(model: CompiledModel, change: (condition: Condition) => Condition): CompiledModel {
  const deep = (condition: Condition): Condition => {
    if ('all' in condition) return { all: condition.all.map(deep) };
    if ('any' in condition) return { any: condition.any.map(deep) };
    return change(condition);
  };
  const columns = model.columns.map(({ op, ...column }): CompiledModel['columns'][number] => ({
    ...column,
    op: 'where' in op && op.where !== null ? ({ ...op, where: deep(op.where) } as ColumnOp) : op,
  }));
  return { ...model, columns };
}

function withWindows(model: CompiledModel, windows: Partial<WindowRules>): CompiledModel {
  return { ...model, windows: { ...model.windows, ...windows } };
}

function withGapField(model: CompiledModel, change: (gap: GapField) => Partial<GapField>): CompiledModel {
  const { gapField } = model;
  return gapField === null ? model : { ...model, gapField: { ...gapField, ...change(gapField) } };
}

const DEFECTS: Readonly<Record<string, (model: CompiledModel) => CompiledModel>> = {
  'a gap that is 1 ms longer': (model) => ({ ...model, gapMs: model.gapMs + 1 }),
  'a gap that is 1 ms shorter': (model) => ({ ...model, gapMs: model.gapMs - 1 }),
  'gaps in another unit': (model) => withGapField(model, ({ unitMs }) => ({ unitMs: 1_001 - unitMs })),
  'gaps of events that say none that are 1 ms longer': (model) =>
    withGapField(model, ({ defaultMs }) => ({ defaultMs: defaultMs + 1 })),
  'a disorder that is 1 ms longer': (model) => ({ ...model, allowedDisorderMs: model.allowedDisorderMs + 1 }),
  'a lateness that is 1 ms longer': (model) => ({ ...model, allowedLatenessMs: model.allowedLatenessMs + 1 }),
  'a future that is 1 ms shorter': (model) => ({ ...model, maxFutureMs: model.maxFutureMs - 1 }),
  'values that are taken for JSON': (model) => ({ ...model, valueFormat: 'json' }),
  'end events that are not seen': (model) => ({ ...model, endEvent: null }),
  'repeated events that count': (model) => ({ ...model, deduplicateField: null }),
  'keys of all parts but the last': (model) => ({ ...model, keyParts: model.keyParts.slice(0, 1) }),
  'values that are not masked': (model) => ({
    ...model,
    fields: model.fields.map(({ mask: _, ...field }) => field),
  }),
  'filters that let all through': (model) => ({ ...model, filter: null }),
  'sessions that may be 1 ms longer': (model) =>
    withWindows(model, { maxDurationMs: model.windows.maxDurationMs + 1 }),
  'start events that are not seen': (model) => withWindows(model, { startEvent: null }),
  'midnights that are not seen': (model) => withWindows(model, { midnight: null }),
  'changes of which the last is not seen': (model) =>
    withWindows(model, { onChange: model.windows.onChange.slice(0, -1) }),
  'conditions of which the last text is not seen': (model) =>
    withConditions(model, (condition) =>
      'oneOf' in condition ? { ...condition, oneOf: condition.oneOf.slice(0, -1) } : condition,
    ),
  'conditions that nothing matches but what is there': (model) =>
    withConditions(model, (condition) =>
      'noneOf' in condition ? { all: [condition, { field: condition.field, present: true }] } : condition,
    ),
  'bounds that are not part of their range': (model) =>
    withConditions(model, (condition) =>
      'least' in condition && condition.least !== null
        ? { ...condition, least: condition.least + 1e-9 }
        : condition,
    ),
  'truths that are turned round': (model) =>
    withConditions(model, (condition) =>
      'is' in condition ? { ...condition, is: !condition.is } : condition,
    ),
  'conditions of which one is enough': (model) => ({
    ...model,
    columns: model.columns.map(({ op, ...column }): CompiledModel['columns'][number] => ({
      ...column,
      op:
        'where' in op && op.where !== null && 'all' in op.where
          ? ({ ...op, where: { any: op.where.all } } as ColumnOp)
          : op,
    })),
  }),
  'least values of all events': (model) => withOp(model, 'min', (op) => ({ ...op, where: null })),
  'greatest values that are least ones': (model) => withOp(model, 'max', (op) => ({ ...op, op: 'min' })),
  'sums that are means': (model) => withOp(model, 'sum', (op) => ({ ...op, op: 'avg' })),
  'values where another is greatest instead of least': (model) =>
    withOp(model, 'argmin', (op) => ({ ...op, op: 'argmax' })),
  'joined texts without what stands between them': (model) =>
    withOp(model, 'concat', (op) => ({ ...op, separator: '' })),
  'formulas turned round': (model) =>
    withOp(model, 'calculate', ({ op, formula }) => ({ op, formula: { call: 'negate', of: [formula] } })),
  'offsets of the end for those of the start': (model) =>
    withOp(model, 'first_offset', (op) => ({ ...op, op: 'last_offset' })),
  'lists of one more': (model) => withOp(model, 'list', (op) => ({ ...op, limit: op.limit + 1 })),
  'lists of events that do not count': (model) => withOp(model, 'list', (op) => ({ ...op, where: null })),
  'lists in which each comes as often as it is there': (model) =>
    withOp(model, 'list', (op) => ({ ...op, by: null })),
  'lists that pair up the wrong way round': (model) =>
    withOp(model, 'list', (op) => ({
      ...op,
      field: op.by ?? op.field,
      by: op.by === null ? null : op.field,
    })),
  'sets that keep what comes twice': (model) =>
    withOp(model, 'set', (op) => ({ ...op, op: 'list', by: null, where: null })),
  'sets of one less': (model) => withOp(model, 'set', (op) => ({ ...op, limit: op.limit - 1 })),
  'records of one more': (model) => withOp(model, 'records', (op) => ({ ...op, limit: op.limit + 1 })),
  'records of events that lack what they must have': (model) =>
    withOp(model, 'records', (op) => ({ ...op, present: null })),
  'records without their last member': (model) =>
    withOp(model, 'records', (op) => ({ ...op, members: op.members.slice(0, -1) })),
  'records with their members turned round': (model) =>
    withOp(model, 'records', (op) => ({ ...op, members: op.members.toReversed() })),
  'missing values that are counted': (model) => withOp(model, 'count_values', () => ({ op: 'count' })),
  'repeated values that are not counted': (model) =>
    withOp(model, 'count_values', ({ field }) => ({ op: 'count_distinct', field, where: null })),
  'collections of one byte more': (model) => ({
    ...model,
    collectionBytesMax: model.collectionBytesMax + 1,
  }),
  'first instead of last': (model) => withOp(model, 'last', (op) => ({ ...op, op: 'first' })),
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

/** Makes its copies when they are asked for, not of when they were begun. */
class LateCopies extends ReferenceEngine {
  override lane(content: Uint8Array | null, partition = 0): LaneEngine {
    const lane = super.lane(content, partition);
    lane.beginSnapshot = () => {
      let isTaken = false;
      const next = () => {
        if (isTaken) return null;
        isTaken = true;
        return [lane.snapshot()];
      };
      return { next, abandoned: false };
    };
    return lane;
  }
}

export const PLANTED_DEFECTS: readonly EngineMaker[] = [
  ...Object.entries(DEFECTS).map(
    ([name, change]): EngineMaker => ({
      name,
      make: (model) => new ReferenceEngine(change(model)),
    }),
  ),
  { name: 'copies that later events reach', make: (model) => new LateCopies(model) },
];
