import { execFileSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { versionPath } from '#src/lake/delta/path.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import type { EngineProcess } from '../support/engine-process.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents, tablePath } from '../support/spine-table.js';
import { expectReadAlike, localTable } from '../support/table-readers.js';

/** Real engines write checkpoints beside their commits, and go on from them when nothing before is left. */
const RUN_MS_MAX = 120_000;
vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });
const QUICK = ['--cut-interval', '200ms'];
const PROPERTY = `
import sys
from deltalake import DeltaTable
DeltaTable(sys.argv[1]).alter.set_table_properties({'delta.checkpointInterval': '3'})
`;

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
});

afterAll(() => kafka?.close());

async function allCommitted(engine: EngineProcess, topic: string, events: number): Promise<void> {
  await vi.waitFor(
    async () => {
      if (engine.ended !== null) throw new Error(`the engine ended: ${engine.tail()}`);
      expect(await committedEvents(kafka.lakeOf(topic))).toBe(events);
    },
    { timeout: RUN_MS_MAX, interval: 200 },
  );
}

it('an engine writes checkpoints by itself; one that is killed goes on from the newest, the log before it gone', async () => {
  const topic = 'checkpointed';
  await kafka.createTopic(topic, 2);
  let events = 0;
  /** Two closed sessions a call: a version of its own. */
  const feed = async (engine: EngineProcess) => {
    events += 2;
    await kafka.produce(
      topic,
      [0, 1].map((partition) => goodRecord(`u${partition}`, events * 3_600_000, partition)),
    );
    await allCommitted(engine, topic, events);
  };
  const first = kafka.engine(topic, { flags: QUICK });
  await feed(first);
  await first.stop(RUN_MS_MAX);
  const folder = await tablePath(kafka.lakeOf(topic));
  execFileSync(deltaRsPython(), ['-c', PROPERTY, folder]);

  const second = kafka.engine(topic, { flags: QUICK });
  await vi.waitFor(
    async () => {
      await feed(second);
      expect(second.output).toMatch(/checkpoint written, and read back by two readers/);
    },
    { timeout: RUN_MS_MAX, interval: 50 },
  );
  await second.kill();
  const before = await expectReadAlike(localTable(folder));

  const names = (await readdir(join(folder, '_delta_log'))).filter((name) => name.includes('.checkpoint.'));
  const checkpoint = Math.max(...names.map((name) => Number(name.slice(0, 20))));
  for (let version = 0; version <= checkpoint; version++) await rm(join(folder, versionPath(version)));
  expect((await expectReadAlike(localTable(folder))).rows.toSorted()).toEqual(before.rows.toSorted());

  const third = kafka.engine(topic, { flags: QUICK });
  await feed(third);
  await third.stop(RUN_MS_MAX);
  const after = await expectReadAlike(localTable(folder));
  const userAt = after.columns.indexOf('user_id');
  // each event is a session of its own, and the newest of each user is still open
  expect(after.rows.map((row) => row[userAt]).sort()).toEqual(
    ['u0', 'u1'].flatMap((user) => Array.from({ length: events / 2 - 1 }, () => user)),
  );
});
