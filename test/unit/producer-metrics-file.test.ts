import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { evaluate, parseCheck } from '#src/commands/monitor/checks.js';
import { figuresOf } from '#src/commands/monitor/figures.js';
import { readProducers } from '#src/commands/monitor/producers.js';
import { viewText } from '#src/commands/monitor/view.js';
import { ClickstreamProducer } from '#src/producer/clickstream-producer.js';
import type { FiledMetrics } from '#src/producer/metrics-file.js';
import { coloursFor } from '#src/telemetry/progress.js';
import { FakeProducerClient } from '../support/fake-producer-client.js';
import { ManualClock, RecordingLog, settle } from '../support/group-fakes.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function connected(metricsFile: string) {
  const client = new FakeProducerClient('clickstream_events', 4);
  const clock = new ManualClock();
  const log = new RecordingLog();
  const producer = new ClickstreamProducer(
    { brokers: 'b:1', log, metricsFile },
    { clock, createClient: () => client },
  );
  await producer.connect();
  return { client, clock, log, producer };
}

it('a producer keeps its newest metrics in a file, the last ones when it is closed, and monitor reads them', async () => {
  const file = join(folder, 'shop.json');
  const { client, clock, producer } = await connected(file);
  const sent = producer.send({
    timestamp: '1970-01-01T00:00:00Z',
    user_id: 'ann',
    event_type: 'page_view',
  });
  await settle();
  await clock.advance(5);
  client.deliverAll();
  await sent;
  await clock.advance(2_000);
  const read = () => JSON.parse(readFileSync(file, 'utf8')) as FiledMetrics;
  await expect.poll(() => readdirSync(folder), { timeout: 30_000 }).toEqual(['shop.json']);
  expect(read()).toMatchObject({ sent: 1, failed: 0, isClosed: false, topic: 'clickstream_events' });
  const { producers, troubles } = await readProducers([folder], clock.nowMs());
  expect(troubles).toEqual([]);
  const look = { atMs: 0, brokers: [], topics: [], groups: [], troubles: [], producers };
  const figures = figuresOf(look, null);
  expect(evaluate(parseCheck('send-errors=0'), figures)).toMatchObject({ holds: true, found: 0 });
  expect(evaluate(parseCheck('send-p99<6'), figures)).toMatchObject({ holds: true });
  expect(evaluate(parseCheck('send-p99<6'), figuresOf({ ...look, producers: [] }, null))).toMatchObject({
    holds: false,
    reason: expect.stringContaining('--producers') as string,
  });
  const broker = { id: 1, address: 'b:1', logBytes: null, agent: null };
  const text = viewText(figuresOf({ ...look, brokers: [broker] }, null), [], coloursFor({}));
  expect(text).toMatch(/Producers \(their own metrics files.*\)\n.*\n.*clickstream_events +\d+ +1 +0/s);
  await producer.close(0);
  expect(read()).toMatchObject({ sent: 1, isClosed: true });
});

it('a producer that can’t write them says so once and sends on', async () => {
  const { clock, log, producer } = await connected(join(folder, 'nowhere', 'x.json'));
  const warnings = () => log.lines.filter(({ message }) => message.includes("metrics can't be written"));
  for (let turn = 0; turn < 3; turn++) {
    await clock.advance(2_000);
    await expect.poll(() => warnings().length, { timeout: 30_000 }).toBe(1);
  }
  await producer.close(0);
  expect(warnings().length).toBe(1);
});

it('a file that is old, or none of a producer’s, is a trouble', async () => {
  const metrics = { atMs: 1_000, sent: 5, topic: 't', isClosed: false };
  writeFileSync(join(folder, 'old.json'), JSON.stringify(metrics));
  writeFileSync(join(folder, 'other.txt'), 'not read');
  const { producers, troubles } = await readProducers([folder, join(folder, 'away')], 61_000);
  expect(producers).toEqual([]);
  expect(troubles).toEqual([
    expect.stringMatching(/old\.json has written nothing for 60 s/),
    expect.stringMatching(/away: ENOENT/),
  ]);
  writeFileSync(join(folder, 'old.json'), '{"a":1}');
  const other = await readProducers([join(folder, 'old.json')], 61_000);
  expect(other.troubles[0]).toMatch(/no file that a producer of headrace\/producer writes/);
});
