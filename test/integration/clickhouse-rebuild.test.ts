import { describe, expect, it } from 'vitest';
import { TableRebuild, type TableRebuildResult } from '#src/commands/warehouse/table-rebuild.js';
import { lakeAt } from '#src/config/lake-place.js';
import { systemRandom } from '#src/random.js';
import { FollowerRig, model } from '../support/follower-rig.js';

/** `headrace clickhouse rebuild` beside an engine that goes on: rows, views and positions are those of the lake. */

const SEED = Number(process.env.HEADRACE_SEED ?? systemRandom.below(2 ** 31));
const TEST_MS = 400_000;

async function rebuild(rig: FollowerRig): Promise<TableRebuildResult> {
  const target = rig.target('followed');
  return await rig.sql((client) =>
    new TableRebuild({ client, target, model, lake: lakeAt(rig.lake), progress: () => {} }).run(),
  );
}

describe(`a rebuild from the lake (HEADRACE_SEED=${SEED})`, () => {
  it('mends a table that lost and doubled rows while an engine brings more, and each row is there once', {
    timeout: TEST_MS,
  }, async () => {
    await FollowerRig.with(SEED, async (rig) => {
      const engine = await rig.engine('engine', [0, 1, 2, 3]);
      await engine.tell(4);
      await engine.caughtUp();
      await rig.sql(async (client) => {
        const spoil = 'ALTER TABLE followed.session_metrics DELETE WHERE cityHash64(session_id) % 3 = 0';
        await client.command({ query: spoil, clickhouse_settings: { mutations_sync: '1' } });
        await client.command({
          query:
            'INSERT INTO followed.session_metrics SETTINGS insert_deduplicate = 0 SELECT * FROM followed.session_metrics LIMIT 7',
        });
      });
      let isOver = false;
      const rebuilt = rebuild(rig).finally(() => {
        isOver = true;
      });
      let cuts = 0;
      for (; !isOver && cuts < 40; cuts++) {
        await engine.tell();
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      const { version } = await rebuilt;
      expect(version).toBeGreaterThanOrEqual(4);
      await engine.tell(2);
      await engine.caughtUp();
      expect(await rig.rows('followed')).toEqual(await rig.singleInserts());
      expect(await rig.fileStates()).toEqual({ done: rig.story.files.length });
      expect(await rig.viewDifferences()).toEqual([]);
    });
  });

  it('leaves each lane exactly at the lake’s version, and may be called again', {
    timeout: TEST_MS,
  }, async () => {
    await FollowerRig.with(SEED + 1, async (rig) => {
      const engine = await rig.engine('engine', [0, 1, 2, 3]);
      await engine.tell(5);
      await engine.caughtUp();
      for (let times = 0; times < 2; times++) {
        const { version } = await rebuild(rig);
        const positions = await rig.sql(async (client) => {
          const query = 'SELECT toUInt32(version) AS version FROM followed.headrace_positions FINAL';
          return await (await client.query({ query, format: 'JSONEachRow' })).json();
        });
        expect(positions).toEqual([0, 1, 2, 3].map(() => ({ version })));
      }
      expect(await rig.rows('followed')).toEqual(await rig.singleInserts());
      expect(await rig.viewDifferences()).toEqual([]);
    });
  });
});
