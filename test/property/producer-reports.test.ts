import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PendingRecords, type Report, type SentRecord } from '#src/producer/pending-records.js';
import { FakeProducerClient, type FakeRecord } from '../support/fake-producer-client.js';
import { propertySettings } from '../support/property-seed.js';

/**
 * One partition over random schedules: records of few keys, lengths and milliseconds, batches that are answered, refused or go
 * back into the queue, and time-outs that overtake what is under way.
 */
type Step =
  | { do: 'send'; key: number; size: number; later: number }
  | { do: 'transmit' | 'time-out'; count: number }
  | { do: 'answer' | 'refuse' | 'requeue' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        key: fc.nat(1),
        size: fc.nat(1),
        later: fc.constantFrom(0, 0, 1, -1),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom('transmit' as const, 'time-out' as const),
        count: fc.integer({ min: 1, max: 6 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('answer' as const, 'answer' as const, 'refuse' as const, 'requeue' as const),
      }),
    },
  ),
  { maxLength: 200 },
);

interface Sent {
  key: Buffer;
  size: number;
  timestampMs: number;
  record: FakeRecord;
  said: { offset: number } | 'failed' | null;
}

function play(schedule: readonly Step[], clockGoesBack: boolean): Sent[] {
  const client = new FakeProducerClient('t', 1);
  const pending = new PendingRecords<Sent>();
  const all: Sent[] = [];
  client.on('delivery-report', (error, report) => {
    const lost = error
      ? pending.failed(report)
      : settleDelivered(deliveredBy(pending, report), report.offset);
    for (const sent of lost) {
      expect(sent.said).toBeNull();
      sent.said = 'failed';
    }
  });
  let nowMs = 1_000;
  for (const step of schedule) {
    if (step.do === 'send') {
      nowMs += clockGoesBack ? step.later : Math.abs(step.later);
      const key = Buffer.from(`user ${step.key}`);
      client.produce('t', 0, Buffer.alloc(step.size, all.length), key, nowMs);
      const sent: Sent = {
        key,
        size: step.size,
        timestampMs: nowMs,
        record: client.records.at(-1)!,
        said: null,
      };
      pending.add(sent);
      all.push(sent);
    } else if (step.do === 'transmit') {
      if (client.lanes[0]!.batches.length < 5) client.transmit(0, step.count);
    } else if (step.do === 'time-out') client.timeOut(0, step.count);
    else if (step.do === 'requeue') client.requeue(0);
    else client.answer(0, step.do === 'refuse' ? 19 : null);
  }
  client.deliverAll();
  expect(pending.clear()).toEqual([]);
  return all;
}

/** What was delivered, and what was given up for it. */
function deliveredBy<S extends SentRecord>(pending: PendingRecords<S>, report: Report) {
  const lost: S[] = [];
  return { sent: pending.delivered(report, (each) => lost.push(each)), lost };
}

function settleDelivered({ sent, lost }: { sent: Sent | null; lost: Sent[] }, offset: number): Sent[] {
  if (sent !== null) {
    expect(sent.said).toBeNull();
    sent.said = { offset };
  }
  return lost;
}

const alike = (a: Sent, b: Sent) =>
  a.size === b.size && a.timestampMs === b.timestampMs && a.key.equals(b.key);

describe('delivery reports without a mark of ours', () => {
  it.each([
    ['the clock goes on', false],
    ['the clock is set back', true],
  ])('never call an event delivered that was not, nor at another offset, while %s', (_, clockGoesBack) => {
    fc.assert(
      fc.property(steps, (schedule) => {
        for (const { said, record } of play(schedule, clockGoesBack)) {
          expect(said).not.toBeNull();
          if (said !== 'failed') expect(said).toEqual(record.outcome);
        }
      }),
      propertySettings({ numRuns: 400 }),
    );
  });

  it('are exact while no two events of a key have one millisecond and one length', () => {
    fc.assert(
      fc.property(steps, (schedule) => {
        const apart = schedule.map((step) => (step.do === 'send' ? { ...step, later: 1 } : step));
        for (const { said, record } of play(apart, false)) {
          expect(said).toEqual('code' in record.outcome! ? 'failed' : record.outcome);
        }
      }),
      propertySettings({ numRuns: 400 }),
    );
  });

  it('give up what can not be told apart, and what lies between, only when one of it fails', () => {
    const schedule: Step[] = [
      { do: 'send', key: 0, size: 1, later: 0 },
      { do: 'send', key: 1, size: 1, later: 0 },
      { do: 'send', key: 0, size: 1, later: 0 },
      { do: 'send', key: 1, size: 0, later: 0 },
      { do: 'transmit', count: 1 },
      { do: 'transmit', count: 1 },
      { do: 'time-out', count: 1 },
      { do: 'answer' },
      { do: 'answer' },
    ];
    const sent = play(schedule, false);
    expect(alike(sent[0]!, sent[2]!)).toBe(true);
    expect(sent.map(({ said }) => said)).toEqual(['failed', 'failed', 'failed', { offset: 2 }]);
  });

  it('give up everything when a report fits nothing, and go on after it', () => {
    const pending = new PendingRecords<{ key: Buffer; size: number; timestampMs: number }>();
    const records = [1, 2, 3].map((size) => ({ key: Buffer.from('k'), size, timestampMs: 5 }));
    for (const record of records) pending.add(record);
    const key = Buffer.from('k');
    expect(deliveredBy(pending, { key, size: 9, timestamp: 5 })).toEqual({ sent: null, lost: records });
    expect(deliveredBy(pending, { key, size: 2, timestamp: 5 })).toEqual({ sent: null, lost: [] });
    const next = { key, size: 7, timestampMs: 6 };
    pending.add(next);
    expect(pending.failed({ key, size: 8, timestamp: 5 })).toEqual([]);
    expect(deliveredBy(pending, { key, size: 7, timestamp: 6 })).toEqual({ sent: next, lost: [] });
  });
});
