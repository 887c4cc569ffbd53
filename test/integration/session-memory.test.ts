import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CutLaneEntry, LedgerEntry } from '#src/ledger/types.js';
import type { ProducedRecord } from '../support/spine-kafka.js';
import { BASE_MS, SmallKafka } from '../support/spine-lane.js';
import { committedEvents, readSpineTable, type SpineTable } from '../support/spine-table.js';

/**
 * More open sessions than a worker may keep, on a real broker: idle ones are let out early, nothing is lost or counted
 * twice, and a restart meets the marks again.
 */
const RUN_MS_MAX = 120_000;
const TEST_MS_MAX = 240_000;
const PARTITIONS = 2;

/** The least memory there is, and many cuts. Without snapshots a restart meets all of them again. */
const LITTLE = `
cut_interval: 100ms
snapshot_interval: 1h
workers: 1
fetch: { partition_bytes: 256KiB }
limits: { ring_bytes: 1MiB, session_memory_bytes: 16MiB }
`;

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
  await writeFile(join(kafka.folder, 'little.yaml'), LITTLE);
}, TEST_MS_MAX);

afterAll(() => kafka?.close());

/** Users who come once, one every 50 ms: at a gap of half an hour, 36,000 are open at a time, and half of them fit. */
const USERS = 60_000;
const EVERY_MS = 50;

function visit(i: number): ProducedRecord {
  const user_id = `user-${i}-${'u'.repeat(60)}`;
  const timestampMs = BASE_MS + i * EVERY_MS;
  const event = {
    timestamp: new Date(timestampMs).toISOString(),
    user_id,
    event_type: 'page_view',
    page_url: `/pages/${i}/${'p'.repeat(100)}`,
    referrer: `https://example.org/${i}/${'r'.repeat(100)}`,
  };
  return { key: user_id, value: JSON.stringify(event), timestampMs, partition: i % PARTITIONS };
}

async function produceVisits(topic: string): Promise<void> {
  await kafka.createTopic(topic, PARTITIONS);
  for (let from = 0; from < USERS; from += 20_000) {
    await kafka.produce(
      topic,
      Array.from({ length: 20_000 }, (_, i) => visit(from + i)),
    );
  }
}

function laneEntries({ delta }: SpineTable): CutLaneEntry[] {
  return delta.history.flatMap(({ headrace }) =>
    (headrace as LedgerEntry).cuts.flatMap(({ lanes }) => lanes),
  );
}

/** Each event is in exactly one row that stands; some of these were let out for want of memory, by marks in the ledger. */
async function expectAllThere(topic: string): Promise<void> {
  const table = await readSpineTable(kafka.lakeOf(topic));
  const events = table.rows.reduce((sum, row) => sum + Number(row.sign) * Number(row.total_events), 0);
  expect(events).toBe(USERS);
  expect(table.standing).toHaveLength(USERS);
  expect(new Set(table.standing.map((row) => row.user_id)).size).toBe(USERS);
  const closedBy = table.standing.filter((row) => row.closed_by === 'memory').length;
  expect(closedBy).toBeGreaterThan(1_000);
  expect(closedBy).toBeLessThan(USERS);
  const marked = laneEntries(table).filter(({ marks }) => marks.evictBeforeMs !== undefined);
  expect(marked.length).toBeGreaterThan(0);
}

describe.each(['kernel', 'reference'])('more sessions than fit, with the %s', (engine) => {
  const topic = `little-memory-${engine}`;
  const flags = () => ['--config', join(kafka.folder, 'little.yaml'), '--engine', engine];

  it('are let out early, longest idle first, without a halt, and that is said', {
    timeout: TEST_MS_MAX,
  }, async () => {
    await produceVisits(topic);
    const running = kafka.engine(topic, { untilEnd: true, flags: flags() });
    expect(await running.result(RUN_MS_MAX)).toMatchObject({ haltedLanes: 0, deadLetters: 0 });
    await expectAllThere(topic);
    expect(running.output).toMatch(/let out early with closed_by memory/);
    expect(running.output).toContain(topic);
  });

  it('are let out at the same places by a restart after a SIGKILL', { timeout: TEST_MS_MAX }, async () => {
    const options = {
      topic,
      group: `${topic}-killed`,
      lake: kafka.lakeOf(`${topic}-killed`),
      flags: flags(),
    };
    const first = kafka.engine(topic, options);
    await first.untilSays(/let out early with closed_by memory/);
    const half = USERS / 2;
    await first.until('half is committed', async () => (await committedEvents(options.lake)) > half);
    await first.kill();
    const second = kafka.engine(topic, { ...options, untilEnd: true });
    expect(await second.result(RUN_MS_MAX)).toMatchObject({ haltedLanes: 0, deadLetters: 0 });
    expect(second.output).toContain('lane recovered');
    await expectAllThere(`${topic}-killed`);
  });
});
