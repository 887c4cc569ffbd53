import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeadLetterReason } from '#src/model/types.js';
import {
  bytesPerOpenSession,
  COUNTERS,
  type CounterName,
  countersBytes,
  deadLetterCounter,
  deadLettersOf,
  readCounters,
  sumCounters,
  sumHistogram,
  WorkerCounters,
} from '#src/telemetry/counters.js';
import { HISTOGRAMS, type HistogramName, quantileBound } from '#src/telemetry/histograms.js';

const NAMES = Object.keys(COUNTERS) as CounterName[];
const shared = () => new SharedArrayBuffer(countersBytes());

describe('times', () => {
  it('are added in whole nanoseconds, and never taken away', () => {
    const writer = shared();
    const counters = new WorkerCounters(writer);
    counters.addMs('busyNs', 1.000_000_6);
    counters.addMs('busyNs', 0.000_001);
    counters.addMs('busyNs', -5);
    expect(readCounters(writer).busyNs).toBe(1_000_002);
  });
});

describe('bytes per open session', () => {
  it('is the mean, in whole bytes, and nothing while none is open', () => {
    const writer = shared();
    const counters = new WorkerCounters(writer);
    counters.set('sessionBytes', 1_000);
    expect(bytesPerOpenSession(readCounters(writer))).toBe(0);
    counters.set('openSessions', 3);
    expect(bytesPerOpenSession(readCounters(writer))).toBe(333);
  });
});

describe('shared histograms', () => {
  it('agree with plain lists, whatever several writers observed, and leave counters alone', () => {
    const names = Object.keys(HISTOGRAMS) as HistogramName[];
    const value = fc.oneof(
      fc.nat({ max: 2 ** 40 }),
      fc.constantFrom(...names.flatMap((name) => HISTOGRAMS[name].bounds)),
    );
    const step = fc.record({ writer: fc.nat({ max: 1 }), name: fc.constantFrom(...names), value });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const buffers = [shared(), shared()];
        const writers = buffers.map((buffer) => new WorkerCounters(buffer));
        for (const { writer, name, value } of steps) writers[writer]!.observe(name, value);
        for (const name of names) {
          const { bounds } = HISTOGRAMS[name];
          const values = steps.filter((each) => each.name === name).map((each) => each.value);
          const edges = [Number.NEGATIVE_INFINITY, ...bounds, Number.POSITIVE_INFINITY];
          const buckets = edges
            .slice(1)
            .map((to, i) => values.filter((v) => v > edges[i]! && v <= to).length);
          const sum = values.reduce((total, each) => total + each, 0);
          const found = sumHistogram(name, buffers);
          expect(found).toEqual({ bounds, buckets, count: values.length, sum });
          const ordered = values.sort((a, b) => a - b);
          for (const share of [0.5, 0.95, 1]) {
            const exact = ordered[Math.max(0, Math.ceil(share * ordered.length) - 1)] ?? 0;
            const bound = bounds.find((each) => exact <= each) ?? bounds.at(-1)!;
            expect(quantileBound(found, share)).toBe(values.length === 0 ? 0 : bound);
          }
        }
        expect(sumCounters(buffers)).toEqual(Object.fromEntries(NAMES.map((name) => [name, 0])));
      }),
    );
  });
});

describe('shared counters', () => {
  it('start at zero, every one of the table', () => {
    expect(readCounters(shared())).toEqual(Object.fromEntries(NAMES.map((name) => [name, 0])));
  });

  it('agree with plain objects, whatever was added and set by several writers', () => {
    const step = fc.record({
      writer: fc.nat({ max: 2 }),
      name: fc.constantFrom(...NAMES),
      op: fc.constantFrom('add' as const, 'set' as const, 'atLeast' as const),
      amount: fc.nat({ max: 2 ** 45 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const buffers = [shared(), shared(), shared()];
        const writers = buffers.map((buffer) => new WorkerCounters(buffer));
        const model = buffers.map(() => Object.fromEntries(NAMES.map((name) => [name, 0])));
        for (const { writer, name, op, amount } of steps) {
          writers[writer]![op](name, amount);
          const before = model[writer]![name]!;
          if (op === 'add') model[writer]![name] = before + amount;
          else model[writer]![name] = op === 'set' ? amount : Math.max(before, amount);
        }
        expect(buffers.map(readCounters)).toEqual(model);
        const sums = NAMES.map((name) => {
          const values = model.map((each) => each[name]!);
          const isLongest = COUNTERS[name].kind === 'longest';
          return [name, isLongest ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0)];
        });
        expect(sumCounters(buffers)).toEqual(Object.fromEntries(sums));
      }),
    );
  });

  it('go on where the writer before them stopped', () => {
    const buffer = shared();
    new WorkerCounters(buffer).add('events', 10);
    new WorkerCounters(buffer).add('events', 5);
    expect(readCounters(buffer).events).toBe(15);
  });

  it('count beyond 32 bits', () => {
    const buffer = shared();
    const counters = new WorkerCounters(buffer);
    counters.add('bytes', 2 ** 40);
    counters.add('bytes', 1);
    expect(readCounters(buffer).bytes).toBe(2 ** 40 + 1);
  });

  it('have one for each reason of a dead letter, and their sum', () => {
    const reasons: Record<DeadLetterReason, CounterName> = {
      malformed: deadLetterCounter('malformed'),
      missing_field: deadLetterCounter('missing_field'),
      wrong_type: deadLetterCounter('wrong_type'),
      late: deadLetterCounter('late'),
      future: deadLetterCounter('future'),
      too_large: deadLetterCounter('too_large'),
      undecodable: deadLetterCounter('undecodable'),
      unsupported: deadLetterCounter('unsupported'),
    };
    const buffer = shared();
    const counters = new WorkerCounters(buffer);
    for (const name of Object.values(reasons)) {
      expect(NAMES).toContain(name);
      counters.add(name, 2);
    }
    counters.add('events', 100);
    expect(deadLettersOf(readCounters(buffer))).toBe(16);
  });
});
