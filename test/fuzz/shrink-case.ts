import type { FuzzCase, RecordCase } from './case.js';

/**
 * A failing case → a smaller one that fails alike: steps, records, columns, fields and bytes are left out, half of them at
 * first, then less and less, for as long as that makes it smaller and the time lasts.
 */

export interface ShrinkOptions {
  /** Does it fail, and in the same way? */
  fails(fuzzCase: FuzzCase): boolean;
  /** Is it time to end? */
  isOver(): boolean;
}

export function shrinkCase(fuzzCase: FuzzCase, options: ShrinkOptions): FuzzCase {
  let best = fuzzCase;
  const accept = (candidate: FuzzCase): boolean => {
    if (options.isOver() || !options.fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (;;) {
    const before = sizeOf(best);
    for (const pass of PASSES) pass(() => best, accept, options.isOver);
    if (options.isOver() || sizeOf(best) >= before) return best;
  }
}

type Accept = (candidate: FuzzCase) => boolean;
type Pass = (current: () => FuzzCase, accept: Accept, isOver: () => boolean) => void;

const dropSteps: Pass = (current, accept, isOver) =>
  dropParts(
    () => current().steps,
    (steps) => accept({ ...current(), steps }),
    isOver,
  );

/** Holes stay where records were: offsets do not change. */
const dropRecords: Pass = (current, accept, isOver) =>
  dropParts(
    () => current().logs.flatMap((log) => log.flatMap((batch) => batch.records)),
    (kept) => {
      const left = new Set(kept);
      return accept(mapRecords(current(), (record) => (left.has(record) ? record : null)));
    },
    isOver,
  );

const dropBatches: Pass = (current, accept, isOver) =>
  dropParts(
    () => current().logs.flat(),
    (kept) => {
      const left = new Set(kept);
      // where a lane begins is its first batch's offset
      return accept({
        ...current(),
        logs: current().logs.map((log) => log.filter((batch, index) => index === 0 || left.has(batch))),
      });
    },
    isOver,
  );

const dropLogs: Pass = (current, accept) => {
  for (const lane of current().logs.keys()) {
    const logs = current().logs.map((log, index) => (index === lane ? [] : log));
    accept({ ...current(), logs, steps: current().steps.filter((step) => step.lane !== lane) });
  }
};

const plainBatches: Pass = (current, accept) => {
  const change = (changed: object) => {
    const logs = current().logs.map((log) => log.map((batch) => ({ ...batch, ...changed })));
    accept({ ...current(), logs });
  };
  change({ codec: 'none' });
  change({ appendTimeMs: null });
  accept(mapRecords(current(), (record) => ({ ...record, headers: 0 })));
  accept(mapRecords(current(), (record) => ({ ...record, key: null })));
};

const dropColumns: Pass = (current, accept, isOver) => dropEntries('columns', current, accept, isOver);
const dropFields: Pass = (current, accept, isOver) => dropEntries('fields', current, accept, isOver);

const dropRules: Pass = (current, accept) => {
  for (const name of ['end_event', 'filter', 'deduplicate']) {
    const { [name]: rule, ...rest } = JSON.parse(current().model) as Record<string, unknown>;
    if (rule !== undefined) accept({ ...current(), model: JSON.stringify(rest) });
  }
};

/** Documents, one after the other, without some of their bytes. */
const dropBytes: Pass = (current, accept, isOver) => {
  const places = current().logs.flatMap((log, lane) =>
    log.flatMap((batch, at) => batch.records.map((_, index) => ({ lane, at, index }))),
  );
  for (const { lane, at, index } of places) {
    const value = () => current().logs[lane]![at]!.records[index]!.value;
    if (isOver()) return;
    if (value() === null) continue;
    const put = (bytes: readonly number[]) => {
      const record = current().logs[lane]![at]!.records[index]!;
      const changed = { ...record, value: Uint8Array.from(bytes) };
      return accept(mapRecords(current(), (each) => (each === record ? changed : each)));
    };
    dropParts(() => [...value()!], put, isOver);
  }
};

const PASSES: readonly Pass[] = [
  dropLogs,
  dropSteps,
  dropRecords,
  dropBatches,
  plainBatches,
  dropColumns,
  dropFields,
  dropRules,
  dropBytes,
];

function dropEntries(section: string, current: () => FuzzCase, accept: Accept, isOver: () => boolean): void {
  const model = () => JSON.parse(current().model) as Record<string, Record<string, unknown>>;
  dropParts(
    () => Object.entries(model()[section]!),
    (entries) =>
      accept({ ...current(), model: JSON.stringify({ ...model(), [section]: Object.fromEntries(entries) }) }),
    isOver,
  );
}

/** Leaves out parts of a list, as many as it can: halves of it at first, single ones at last. */
function dropParts<T>(
  list: () => readonly T[],
  tryKeep: (kept: T[]) => boolean,
  isOver: () => boolean,
): void {
  for (let size = Math.ceil(list().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < list().length && !isOver(); ) {
      const all = list();
      const isSmaller = tryKeep([...all.slice(0, at), ...all.slice(at + size)]);
      if (!isSmaller) at += size;
    }
  }
}

function mapRecords(fuzzCase: FuzzCase, change: (record: RecordCase) => RecordCase | null): FuzzCase {
  const logs = fuzzCase.logs.map((log) =>
    log.map((batch) => ({
      ...batch,
      records: batch.records.map(change).filter((record) => record !== null),
    })),
  );
  return { ...fuzzCase, logs };
}

function sizeOf({ model, steps, logs }: FuzzCase): number {
  let size = model.length + steps.length * 10;
  for (const batch of logs.flat()) {
    size += 10;
    for (const { key, value } of batch.records) size += 10 + (key?.length ?? 0) + (value?.length ?? 0);
  }
  return size;
}
