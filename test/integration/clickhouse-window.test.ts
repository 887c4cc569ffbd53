import { describe, expect, it } from 'vitest';
import { systemRandom } from '#src/random.js';
import { eventually } from '../support/fake-time.js';
import { FollowerRig } from '../support/follower-rig.js';
import { isInsert, type SeenRequest } from '../support/http-fault-proxy.js';

/**
 * More inserts between the first try of a file and its repetition than ClickHouse recognises: the token tells nothing any more, so its
 * rows are asked for. Merges are off, so a row that came in twice is there twice.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? systemRandom.below(2 ** 31));
const TEST_MS = 240_000;
const ALL = [0, 1, 2, 3];
/** Of the tables, and as the engine believes. */
const WINDOW = 4;

const tokenOf = ({ parameters }: SeenRequest) => parameters.get('insert_deduplication_token');

/** An engine before tables of a small window, of which it believes that they keep their tokens when the server ends. */
async function withWindow(
  seed: number,
  work: (rig: FollowerRig, engine: Awaited<ReturnType<FollowerRig['engine']>>) => Promise<void>,
): Promise<void> {
  await FollowerRig.with(seed, async (rig) => {
    const { warehouse } = rig.target('followed');
    for (const table of ['session_metrics', 'session_summary_sums', 'page_analytics_sums']) {
      await rig.sql((client) =>
        client.command({
          query: `ALTER TABLE followed.${table} MODIFY SETTING non_replicated_deduplication_window = ${WINDOW}`,
        }),
      );
    }
    const kind = { ...warehouse, kind: 'cloud' as const };
    await work(rig, await rig.engine('engine', ALL, { warehouse: kind, window: WINDOW, checks: false }));
  });
}

describe(`beyond the window (HEADRACE_SEED=${SEED})`, () => {
  it.each(['drop-answer', 'answer'] as const)(
    'a file whose first try ended with %s is there once',
    { timeout: TEST_MS },
    async (first) => {
      await withWindow(SEED, async (rig, engine) => {
        await engine.tell(1);
        await engine.caughtUp();
        let path: string | null = null;
        const isTheOne = (request: SeenRequest) => {
          if (!isInsert(request) || tokenOf(request) === null) return false;
          // the next file of worker 0; the other worker's lanes go on
          if (path === null && tokenOf(request)!.split('-').at(-2) === '0') path = tokenOf(request);
          return tokenOf(request) === path;
        };
        const struck = rig.proxy.inject({ kind: first }, { when: isTheOne });
        // and until others came in between it does not get through again
        const refused = rig.proxy.inject(
          { kind: 'answer' },
          { when: isTheOne, times: Number.POSITIVE_INFINITY },
        );
        await engine.tell(1);
        await struck.struck;
        const before = engine.follower.figures.files;
        await engine.tell(3 * WINDOW);
        await eventually(
          'more inserts than the window holds',
          () => engine.follower.figures.files - before > 2 * WINDOW,
        );
        refused.remove();
        await engine.caughtUp();
        expect(path).not.toBeNull();
        expect(await rig.rows('followed')).toEqual(await rig.singleInserts());
        expect(await rig.fileStates()).toEqual({ done: rig.story.files.length });
        expect(await rig.viewDifferences()).toEqual([]);
      });
    },
  );
});
