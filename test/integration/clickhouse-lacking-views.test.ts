import { expect, it } from 'vitest';
import { systemRandom } from '#src/random.js';
import { FollowerRig } from '../support/follower-rig.js';
import { isInsert } from '../support/http-fault-proxy.js';

const SEED = Number(process.env.HEADRACE_SEED ?? systemRandom.below(2 ** 31));
const ALL = [0, 1, 2, 3];

it(`views that may lack the rows of an insert whose end nobody saw are named with what makes them anew (HEADRACE_SEED=${SEED})`, {
  timeout: 240_000,
}, async () => {
  await FollowerRig.with(SEED, async (rig) => {
    await rig.sql(async (client) => {
      const mine =
        'CREATE TABLE followed.mine (n Int64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100000';
      await client.command({ query: mine });
      const view =
        'CREATE MATERIALIZED VIEW followed.of_mine TO followed.mine AS SELECT sum(sign) AS n FROM followed.session_metrics';
      await client.command({ query: view });
    });
    const dead = await rig.engine('dead', ALL);
    await dead.tell(2);
    await dead.caughtUp();
    const lost = rig.proxy.inject(
      { kind: 'drop-answer' },
      { when: (request) => isInsert(request) && request.parameters.has('insert_deduplication_token') },
    );
    await dead.tell(2);
    await lost.struck;
    await dead.close();
    await rig.restartFront();
    const heir = await rig.engine('heir', ALL);
    await heir.tell(1);
    await heir.caughtUp();
    const lines = heir.log.with('may lack their rows');
    const ours = lines.filter(({ fields }) => String(fields.views).includes('session_summary_feed'));
    expect(ours.length).toBeGreaterThan(0);
    for (const { fields, message } of ours) {
      expect(fields.views).toBe('followed.page_analytics_feed, followed.session_summary_feed');
      expect(message).toContain('Run `headrace clickhouse rebuild --views --yes` with the same settings');
    }
    const own = lines.filter(({ fields }) => fields.views === 'followed.of_mine');
    expect(own).toHaveLength(ours.length);
    expect(own[0]!.message).toContain('TRUNCATE its target');
    await rig.rebuildViews();
    expect(await rig.viewDifferences()).toEqual([]);
    expect(await rig.rows('followed')).toEqual(await rig.singleInserts());
  });
});
