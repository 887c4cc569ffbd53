import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { newestVersion, readSpineTable } from '../support/spine-table.js';

/** A model that says `emit.early`: open sessions have rows, which later ones take back, also those of an engine after a crash. */
const RUN_MS_MAX = 120_000;
const TEST_MS_MAX = 300_000;
const LANE = 0;
const HOUR_MS = 3_600_000;

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
  const shipped = await readFile(new URL('../../config/models/clickstream.yaml', import.meta.url), 'utf8');
  // what is silent stays open
  const model = shipped.replace(/^idle_timeout: .*$/m, 'idle_timeout: 1h\nemit: { early: 1s }');
  await writeFile(join(kafka.folder, 'early.yaml'), model);
  // without snapshots a restart meets every mark again
  await writeFile(join(kafka.folder, 'run.yaml'), 'cut_interval: 200ms\nsnapshot_interval: 1h\n');
}, TEST_MS_MAX);

afterAll(async () => {
  await kafka?.close();
});

/** `sign user events closed_by revision`, in the order of revisions, −old before +new. */
async function rows(lake: string): Promise<string[]> {
  if ((await newestVersion(lake)) < 0) return [];
  const table = await readSpineTable(lake);
  return table.rows
    .toSorted(
      (a, b) =>
        Number(a.session_start) - Number(b.session_start) ||
        Number(a.revision) - Number(b.revision) ||
        Number(b.sign) - Number(a.sign),
    )
    .map(
      ({ sign, user_id, total_events, closed_by, revision }) =>
        `${Number(sign) > 0 ? '+' : '-'} ${user_id} ${total_events} ${closed_by} r${revision}`,
    );
}

it('has open sessions in the table every so often, and takes back what it said of them', {
  timeout: TEST_MS_MAX,
}, async () => {
  const topic = 'early';
  const lake = kafka.lakeOf(topic);
  const options = {
    model: join(kafka.folder, 'early.yaml'),
    flags: ['--config', join(kafka.folder, 'run.yaml')],
  };
  await kafka.createTopic(topic);
  await kafka.produce(topic, [goodRecord('one', 0, LANE), goodRecord('one', 1_000, LANE)]);
  const first = kafka.engine(topic, options);
  await first.until('the open session is there', async () => (await rows(lake)).length === 1, RUN_MS_MAX);
  expect(await rows(lake)).toEqual(['+ one 2 early r0']);
  await kafka.produce(topic, [goodRecord('one', 2_000, LANE)]);
  await first.until('it is there anew', async () => (await rows(lake)).length === 3, RUN_MS_MAX);
  await first.kill();

  await kafka.produce(topic, [goodRecord('two', 2 * HOUR_MS, LANE)]);
  const second = kafka.engine(topic, options);
  await second.until('it is closed', async () => (await rows(lake)).length >= 6, RUN_MS_MAX);
  await second.stop(RUN_MS_MAX);
  expect(second.output).not.toContain('lane halted');
  expect(await rows(lake)).toEqual([
    '+ one 2 early r0',
    '- one 2 early r0',
    '+ one 3 early r1',
    '- one 3 early r1',
    '+ one 3 gap r2',
    '+ two 1 early r0',
  ]);
});
