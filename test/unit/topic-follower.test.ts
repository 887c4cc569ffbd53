import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { until } from '../support/fake-time.js';
import { TopicRig } from '../support/topic-rig.js';

const unreachable = () => new HeadraceError('KAFKA_UNREACHABLE', 'no broker answers');
const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('the topic follower', () => {
  it('sends the rows of its lanes in the order of the ledger, and dead letters, with the lanes’ positions', async () => {
    const rig = new TopicRig();
    const { follower, caughtUp, reached } = rig.engine();
    follower.acquired([0, 1]);
    rig.tell({ rows: { 0: ['a1', 'a2'], 1: ['b1'] }, letters: { 1: ['bad'] } });
    rig.tell({});
    rig.tell({ rows: { 0: ['a3'], 2: ['not ours'] } });
    expect(await caughtUp()).toBe(true);
    expect(rig.topics.rows.filter((row) => row.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect([...rig.topics.rows].sort()).toEqual(['a1', 'a2', 'a3', 'b1']);
    expect(rig.topics.letters).toEqual(['bad']);
    expect(rig.topics.positions.get('headrace/g/t/id/0')).toEqual({ version: 2, records: 0 });
    expect(reached.get(0)).toBe(2n);
    expect(follower.positions).toEqual(new Map([0, 1].map((partition) => [partition, 2])));
    expect(follower.figures).toEqual({ rows: 4, letters: 1 });
  });

  it('is not misled when it stands still between its looks at the topic and at the lake, and another goes on meanwhile', async () => {
    const rig = new TopicRig();
    const [ours, theirs] = [rig.engine('ours'), rig.engine('theirs')];
    const positions = ours.sink.positions.bind(ours.sink);
    let frozen = false;
    ours.sink.positions = async (appIds) => {
      const found = await positions(appIds);
      if (frozen) return found;
      frozen = true;
      rig.topics.expelled.add(ours.sink);
      theirs.follower.acquired([0]);
      rig.tell({ rows: { 0: ['a'] } });
      await theirs.caughtUp();
      return found;
    };
    ours.follower.acquired([0]);
    await until('the other has sent', () => rig.topics.rows.length === 1);
    ours.follower.lost([0]);
    await theirs.follower.released([0], 1_000);
    rig.topics.expelled.delete(ours.sink);
    ours.follower.acquired([0]);
    rig.tell({ rows: { 0: ['b'] } });
    expect(await ours.caughtUp()).toBe(true);
    expect(rig.topics.rows).toEqual(['a', 'b']);
  });

  it('ends its topics for good when it is closed, and not when something went wrong', async () => {
    const rig = new TopicRig();
    const { follower, caughtUp, sink } = rig.engine();
    let fails = true;
    sink.before = async (step) => {
      if (step !== 'prepare' || !fails) return;
      fails = false;
      throw unreachable();
    };
    follower.acquired([0]);
    rig.tell({ rows: { 0: ['a'] } });
    expect(await caughtUp()).toBe(true);
    expect([fails, sink.ends]).toEqual([false, 0]);
    await follower.close(1_000);
    expect(sink.ends).toBe(1);
  });

  it('writes a lane’s position before its first record, and each time with what it sends', async () => {
    const rig = new TopicRig();
    const { follower, caughtUp } = rig.engine();
    follower.acquired([0]);
    rig.tell({ rows: { 0: ['a'] } });
    await caughtUp();
    expect(rig.topics.committed[0]).toEqual({ records: 0, positions: ['headrace/g/t/id/0'] });
    for (const { positions } of rig.topics.committed) expect(positions).not.toEqual([]);
  });

  it('sends a version that is larger than a transaction in several, and goes on in its middle', async () => {
    const rig = new TopicRig();
    const first = rig.engine('first');
    first.follower.acquired([0, 1]);
    rig.tell({ rows: { 0: names('a', 13), 1: names('b', 14) }, letters: { 0: names('bad', 7) } });
    let commits = 0;
    first.sink.before = async (step) => {
      if (step === 'commit' && ++commits === 4) await new Promise(() => {});
    };
    first.follower.committed(0, []);
    await until('three transactions', () => rig.topics.committed.length === 3);
    expect(rig.topics.positions.get('headrace/g/t/id/0')).toMatchObject({ version: -1 });
    const second = rig.engine('second');
    second.follower.acquired([0, 1]);
    await second.caughtUp();
    expect(rig.topics.rows).toEqual([...names('a', 13), ...names('b', 14)]);
    expect(rig.topics.letters).toEqual(names('bad', 7));
  });

  it.each(['prepare', 'commit', 'commit-done'] as const)(
    'sends nothing twice and leaves nothing out when %s fails: it begins anew and reads the positions again',
    async (failing) => {
      const rig = new TopicRig();
      const { sink, follower, caughtUp, log } = rig.engine();
      follower.acquired([0]);
      rig.tell({ rows: { 0: ['a'] } });
      await caughtUp();
      let failures = 2;
      sink.before = (step) => {
        if (step === failing && failures-- > 0) throw unreachable();
      };
      rig.tell({ rows: { 0: ['b', 'c'] } });
      rig.tell({ rows: { 0: ['d'] } });
      await caughtUp();
      expect(rig.topics.rows).toEqual(['a', 'b', 'c', 'd']);
      const after = sink.calls.slice(sink.calls.lastIndexOf('open'));
      expect(after[1]).toBe('positions');
      expect(log.with('does not get on')).not.toEqual([]);
      expect(log.with('is back')).not.toEqual([]);
    },
  );

  it('says where its lanes stood last while the topics can not be reached', async () => {
    const rig = new TopicRig();
    const { sink, follower, caughtUp, log } = rig.engine();
    follower.acquired([0]);
    expect(follower.positions.size).toBe(0);
    rig.tell({ rows: { 0: ['a'] } });
    await caughtUp();
    expect(follower.positions).toEqual(new Map([[0, 0]]));
    sink.before = () => {
      throw unreachable();
    };
    rig.tell({ rows: { 0: ['b'] } });
    follower.committed(1, [{ partition: 0, to: 1n }]);
    await until('it is in trouble', () => log.with('does not get on').length > 0);
    expect(follower.positions).toEqual(new Map([[0, 0]]));
    expect(follower.behind).toBeGreaterThan(0);
    follower.abandon();
  });

  it('commits nothing of a lane that was lost while it was being sent, and goes on with the others', async () => {
    const rig = new TopicRig();
    const { sink, follower, caughtUp } = rig.engine();
    follower.acquired([0, 1]);
    rig.tell({ rows: { 0: ['a'], 1: ['b'] } });
    await caughtUp();
    let lost = false;
    sink.before = (step) => {
      if (step !== 'prepare' || lost) return;
      lost = true;
      follower.lost([1]);
    };
    rig.tell({ rows: { 0: ['a2'], 1: ['b2'] } });
    await caughtUp();
    expect(lost).toBe(true);
    expect(sink.calls).toContain('abort');
    expect(rig.topics.rows).toEqual(['a', 'b', 'a2']);
  });

  it('finishes what is being sent of a lane that is released, and sends nothing of it any more', async () => {
    const rig = new TopicRig();
    const { sink, follower, caughtUp } = rig.engine();
    follower.acquired([0, 1]);
    rig.tell({ rows: { 0: ['a'], 1: ['b'] } });
    await caughtUp();
    let released: Promise<void> | null = null;
    sink.before = (step) => {
      if (step === 'prepare') released ??= follower.released([1], 60_000);
    };
    rig.tell({ rows: { 0: ['a2'], 1: ['b2'] } });
    await caughtUp();
    await released;
    rig.tell({ rows: { 0: ['a3'], 1: ['b3'] } });
    await caughtUp();
    expect(rig.topics.rows).toEqual(['a', 'b', 'a2', 'b2', 'a3']);
    expect(rig.topics.positions.get('headrace/g/t/id/1')).toEqual({ version: 1, records: 0 });
  });

  it('gives up what hangs when its lanes have to go: it is void, whenever it wakes', async () => {
    const rig = new TopicRig();
    const { sink, follower, caughtUp } = rig.engine();
    follower.acquired([0]);
    rig.tell({ rows: { 0: ['a'] } });
    await caughtUp();
    let wake = () => {};
    sink.before = async (step) => {
      if (step === 'prepare') await new Promise<void>((resolve) => (wake = resolve));
    };
    rig.tell({ rows: { 0: ['b'] } });
    follower.committed(1, []);
    await until('it hangs', () => sink.calls.filter((call) => call === 'prepare').length === 3);
    await follower.released([0], 1_000);
    wake();
    await until('it is given up', () => sink.calls.includes('abort'));
    const heir = rig.engine('heir');
    heir.follower.acquired([0]);
    await heir.caughtUp();
    expect(rig.topics.rows).toEqual(['a', 'b']);
    expect(rig.topics.committed.flatMap(({ records }) => records).filter((records) => records > 0)).toEqual([
      1, 1,
    ]);
  });

  it('of two producers with one id, only the newer sends', async () => {
    const rig = new TopicRig();
    const old = rig.engine('same');
    old.follower.acquired([0]);
    rig.tell({ rows: { 0: ['a'] } });
    await old.caughtUp();
    const heir = rig.engine('same');
    heir.follower.acquired([0]);
    rig.tell({ rows: { 0: ['b'] } });
    await heir.caughtUp();
    // a frozen one thaws: what it begins fails, and what it reads then is what the other has sent
    await old.caughtUp();
    expect(rig.topics.rows).toEqual(['a', 'b']);
    expect(old.sink.calls.filter((call) => call === 'open')).toHaveLength(2);
  });

  it('divides files of before 0.3 by sending them whole, and halts where one is shared with a lane that is not ours', async () => {
    const rig = new TopicRig();
    const { follower, caughtUp, log } = rig.engine();
    follower.acquired([0, 1]);
    rig.tell({ rows: { 0: ['a'], 1: ['b'] }, undivided: true });
    await caughtUp();
    expect(rig.topics.rows).toEqual(['a', 'b']);
    rig.tell({ rows: { 0: ['c'], 7: ['d'] }, undivided: true });
    expect(await caughtUp()).toBe(false);
    expect(rig.topics.rows).toEqual(['a', 'b']);
    expect(String(log.with('not followed any more')[0]!.fields.error)).toMatch(
      /OUTPUT_HALTED.*part-1-0-1\.parquet/,
    );
  });
});

describe('a lane whose position is ahead', () => {
  it('halts when the table never had that version, and sends nothing that would be taken for sent', async () => {
    const rig = new TopicRig();
    const first = rig.engine('first');
    first.follower.acquired([0]);
    rig.tell({ rows: { 0: ['a'] } });
    rig.tell({ rows: { 0: ['b'] } });
    await first.caughtUp();
    await first.follower.close(1_000);
    // an older copy of the table
    rig.versions.length = 1;
    const second = rig.engine('second');
    second.follower.acquired([0]);
    expect(await second.caughtUp()).toBe(false);
    expect(String(second.log.with('not followed any more')[0]!.fields.error)).toMatch(
      /OUTPUT_HALTED.*does not have.*partition=0 version=1 newest_version=0.*new topics under `output`/,
    );
    expect(rig.topics.rows).toEqual(['a', 'b']);
  });
});

describe('a lane without a position', () => {
  it('goes on at its start when none was ever written, however far the ledger is', async () => {
    const rig = new TopicRig();
    const dead = rig.engine('dead');
    dead.sink.before = () => {
      throw unreachable();
    };
    dead.follower.acquired([0]);
    await until('it is registered', () => rig.store.objects.size > 0);
    dead.follower.abandon();
    rig.tell({ rows: { 0: ['a'] } });
    const heir = rig.engine('heir');
    heir.follower.acquired([0]);
    await heir.caughtUp();
    expect(rig.topics.rows).toEqual(['a']);
  });

  it('halts when one was written and is gone, and goes on where the operator says', async () => {
    const rig = new TopicRig();
    const first = rig.engine('first');
    first.follower.acquired([0]);
    rig.tell({ rows: { 0: ['a'] } });
    await first.caughtUp();
    rig.topics.positions.clear();
    const second = rig.engine('second');
    second.follower.acquired([0]);
    expect(await second.caughtUp()).toBe(false);
    expect(String(second.log.with('not followed any more')[0]!.fields.error)).toMatch(
      /OUTPUT_HALTED.*gone.*partition=0.*--missing-position latest/,
    );
    expect(rig.topics.rows).toEqual(['a']);
    const third = rig.engine('third', 'earliest');
    third.follower.acquired([0]);
    await third.caughtUp();
    expect(rig.topics.rows).toEqual(['a', 'a']);
  });

  it('halts when the ledger has rows of it from before the topics were followed, but not when it has none', async () => {
    const rig = new TopicRig();
    rig.tell({ rows: { 0: ['a'] } });
    rig.tell({ rows: { 1: [] } });
    const late = rig.engine('late', 'latest');
    late.follower.acquired([0]);
    await late.caughtUp();
    rig.tell({ rows: { 0: ['b'] } });
    await late.caughtUp();
    expect(rig.topics.rows).toEqual(['b']);
    const other = rig.engine('other');
    other.follower.acquired([1]);
    expect(await other.caughtUp()).toBe(true);
    rig.topics.positions.clear();
    const strange = new TopicRig();
    strange.tell({ rows: { 0: ['a'] } });
    const halted = strange.engine();
    halted.follower.acquired([0]);
    expect(await halted.caughtUp()).toBe(false);
    expect(strange.topics.rows).toEqual([]);
  });
});
