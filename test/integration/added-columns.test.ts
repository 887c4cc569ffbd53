import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { EngineProcess } from '../support/engine-process.js';
import type { ProducedRecord } from '../support/spine-kafka.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents, tablePath } from '../support/spine-table.js';
import { expectReadAlike, localTable } from '../support/table-readers.js';

/** A model gets columns, and its table with it, by real engines on a real broker. */
const RUN_MS_MAX = 120_000;
vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });
const SHIPPED = fileURLToPath(new URL('../../config/models/clickstream.yaml', import.meta.url));
const QUICK = ['--cut-interval', '200ms'];

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
});

afterAll(() => kafka?.close());

async function modelWith(name: string, change: (yaml: string) => string): Promise<string> {
  const path = join(kafka.folder, name);
  await writeFile(path, change(await readFile(SHIPPED, 'utf8')));
  return path;
}

function click(user: string, atMs: number, campaign?: string): ProducedRecord {
  const record = goodRecord(user, atMs, 0);
  const event = JSON.parse(record.value as string) as object;
  return { ...record, value: JSON.stringify({ ...event, campaign }) };
}

async function allCommitted(engine: EngineProcess, topic: string, events: number): Promise<void> {
  await vi.waitFor(
    async () => {
      if (engine.ended !== null) throw new Error(`the engine ended: ${engine.tail()}`);
      expect(await committedEvents(kafka.lakeOf(topic))).toBe(events);
    },
    { timeout: RUN_MS_MAX, interval: 250 },
  );
}

const MORE = (yaml: string) =>
  yaml
    .replace(/^( {2}page_url: \{ type: string \})$/m, '$1\n  campaign: { type: string }')
    .replace(
      /^( {2}created_at: )/m,
      '  campaign: { op: first, field: campaign }\n  campaigns: { op: set, field: campaign, limit: 9 }\n$1',
    );

it('columns that a model has more come to the table; open sessions go on, and every reader reads old and new rows alike', async () => {
  const topic = 'more-columns';
  await kafka.createTopic(topic, 1);
  const minute = 60_000;
  await kafka.produce(topic, [
    click('closed', 0, 'a'),
    click('late', 0, 'a'),
    click('open', 40 * minute, 'b'),
  ]);
  const before = kafka.engine(topic, { flags: QUICK });
  await allCommitted(before, topic, 3);
  await before.stop(RUN_MS_MAX);

  const model = await modelWith('more.yaml', MORE);
  const refused = kafka.engine(topic, {
    flags: QUICK,
    model: await modelWith('count.yaml', (yaml) =>
      yaml.replace(
        /^( {2}created_at: )/m,
        '  scrolls: { op: count_if, field: event_type, in: [scroll] }\n$1',
      ),
    ),
  });
  expect((await refused.exit(RUN_MS_MAX)).code, refused.tail()).toBe(78);
  expect(refused.output).toMatch(/column scrolls is new and can't be null/);

  const after = kafka.engine(topic, { flags: QUICK, model });
  await kafka.produce(topic, [
    click('open', 41 * minute, 'c'),
    click('other', 80 * minute, 'd'),
    click('end', 200 * minute),
  ]);
  await allCommitted(after, topic, 6);
  await after.stop(RUN_MS_MAX);
  expect(after.output).toMatch(/campaign,campaigns.*columns were added to the table/);

  const { rows, columns } = await expectReadAlike(localTable(await tablePath(kafka.lakeOf(topic))));
  const at = (name: string) => columns.indexOf(name);
  const seen = rows.map((row) =>
    [at('user_id'), at('sign'), at('total_events'), at('campaign'), at('campaigns')].map(
      (index) => row[index],
    ),
  );
  expect(seen.sort()).toEqual(
    [
      ['closed', '1', '1', null, null],
      ['late', '1', '1', null, null],
      ['open', '1', '2', 'c', ['c']],
      ['other', '1', '1', 'd', ['d']],
    ].sort(),
  );

  const old = kafka.engine(topic, { flags: QUICK });
  expect((await old.exit(RUN_MS_MAX)).code, old.tail()).toBe(78);
  expect(old.output).toMatch(/the table has a column campaign that the model has not/);
});

it('are not added while a lane stands between two snapshots: what to do is said', async () => {
  const topic = 'crashed';
  await kafka.createTopic(topic, 1);
  await kafka.produce(topic, [click('a', 0), click('b', 3_600_000)]);
  const before = kafka.engine(topic, { flags: QUICK });
  await allCommitted(before, topic, 2);
  await before.kill();
  const model = await modelWith('more.yaml', MORE);
  const after = kafka.engine(topic, { flags: QUICK, model });
  expect((await after.exit(RUN_MS_MAX)).code, after.tail()).toBe(78);
  expect(after.output).toMatch(
    /lanes do not stand at a snapshot.*run once more with the model of before and stop in order/s,
  );
});
