import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '#src/clock.js';
import { Backlog } from '#src/commands/demo-backlog.js';
import { Feed } from '#src/commands/demo-feed.js';
import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import type { Producer } from '#src/kafka/producer.js';

const MIB = 1024 * 1024;

describe('Backlog', () => {
  it('never counts less than the bytes that are not committed, and nothing when little is open', () => {
    const step = fc.record({
      bytes: fc.nat({ max: 3_000 }),
      commit: fc.option(fc.nat({ max: 100 }), { freq: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const backlog = new Backlog(2);
        const sizes: number[] = [];
        let committed = 0;
        for (const { bytes, commit } of steps) {
          sizes.push(bytes);
          backlog.add(1, 10, bytes);
          if (commit !== null) committed = Math.max(committed, Math.floor((sizes.length * commit) / 100));
          backlog.committed(1, committed);
          const open = sizes.slice(committed).reduce((sum, size) => sum + size + 110, 0);
          expect(backlog.bytesMax).toBeGreaterThanOrEqual(open);
          expect(backlog.bytesMax).toBeLessThan(open + 64 * 1024 + 3_200);
          expect(backlog.records).toBe(sizes.length);
          expect(backlog.committedRecords).toBe(committed);
        }
      }),
    );
  });
});

/** A world in which time passes only while somebody sleeps. */
class SleepClock implements Clock {
  ms = 1;
  onSleep: () => void = () => {};
  nowMs = () => this.ms;
  monotonicMs = () => this.ms;
  sleep = async (ms: number) => {
    this.ms += ms;
    this.onSleep();
  };
}

/** Brokers that acknowledge at once and note what each partition holds. */
function fakeBrokers(partitions: number) {
  const records = new Array<number>(partitions).fill(0);
  const held = new Array<number>(partitions).fill(0);
  let heldMax = 0;
  const producer = {
    inFlight: 0,
    failed: 0,
    flush: async () => 'flushed',
    produce: (_topic: string, partition: number, _key: string, value: Buffer) => {
      records[partition]!++;
      held[partition]! += value.length;
      heldMax = Math.max(heldMax, held[partition]!);
      return 'queued';
    },
  };
  return { producer: producer as unknown as Producer, records, held, heldMax: () => heldMax };
}

function feedOf(eventsPerSecond: number | null) {
  const clock = new SleepClock();
  const brokers = fakeBrokers(4);
  const backlog = new Backlog(4);
  const generator = new ClickstreamGenerator({ seed: 1, users: 300, partitions: 4, startMs: 0 });
  const { producer } = brokers;
  const { signal } = new AbortController();
  const feed = new Feed({ generator, producer, topic: 't', backlog, eventsPerSecond, clock, signal });
  return { clock, brokers, backlog, generator, feed };
}

describe('Feed', () => {
  it('waits for the engine before a partition holds 5 MiB, and goes on when it commits', async () => {
    const { clock, brokers, backlog, generator, feed } = feedOf(null);
    let sleeps = 0;
    clock.onSleep = () => {
      // an engine that commits all there is after every tenth look
      if (++sleeps % 10 > 0) return;
      for (const [partition, count] of brokers.records.entries()) backlog.committed(partition, count);
      brokers.held.fill(0);
    };
    await feed.run(0.2);
    expect(brokers.heldMax()).toBeGreaterThan(2 * MIB);
    expect(brokers.heldMax()).toBeLessThan(4.5 * MIB);
    expect(generator.emitted).toBeGreaterThan(3 * ((4 * 2 * MIB) / 600));
    expect(generator.openSessions()).toEqual([]);
  });

  it('keeps to a rate that was asked for, then ends what its users have begun', async () => {
    const { feed, clock, generator, brokers } = feedOf(1_000);
    let atTheEnd = 0;
    clock.onSleep = () => {
      if (clock.ms <= 2_000) atTheEnd = generator.emitted;
    };
    await feed.run(2);
    expect(atTheEnd).toBeGreaterThan(1_900);
    expect(atTheEnd).toBeLessThanOrEqual(2_001);
    expect(generator.openSessions()).toEqual([]);
    expect(brokers.records.reduce((a, b) => a + b)).toBe(generator.expected().events);
  });
});
