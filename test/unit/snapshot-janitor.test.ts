import { describe, expect, it } from 'vitest';
import { SnapshotJanitor } from '#src/lanes/snapshot-janitor.js';
import type { LaneHistory } from '#src/ledger/history.js';
import { encodeSnapshot } from '#src/reference/snapshot.js';
import { FakeLog } from '../support/fake-log.js';
import { MemoryStore } from '../support/fake-store.js';

const FOLDER = '_headrace/snapshots/topic-id/4/';
const appId = (partition: number) => `headrace/group/clicks/topic-id/${partition}`;

function pathOf(offset: number, cutId: string): string {
  return `${FOLDER}${String(offset).padStart(20, '0')}-${cutId}.snap`;
}

async function setUp() {
  const store = new MemoryStore();
  const log = new FakeLog();
  const janitor = new SnapshotJanitor({ store, modelHash: 'model', appId, log });
  const write = async (offset: number, cutId: string) => {
    const meta = { modelHash: 'model', appId: appId(4), partition: 4, offset: BigInt(offset), cutId };
    await store.put(pathOf(offset, cutId), encodeSnapshot(Buffer.from('content'), meta));
  };
  /** What the ledger says of lane 4, whose newest snapshots are these. */
  const tell = (...snapshots: [number, string][]) => {
    const lane = {
      partition: 4,
      snapshots: snapshots.map(([offset, cutId]) => ({
        path: pathOf(offset, cutId),
        sizeBytes: 1,
        offset: BigInt(offset),
        cutId,
        version: 1,
      })),
    } as LaneHistory;
    janitor.committed(lane);
  };
  const committed = async (...snapshots: [number, string][]) => {
    tell(...snapshots);
    await janitor.settled();
  };
  const left = () => [...store.objects.keys()].filter((path) => path.startsWith(FOLDER)).sort();
  return { store, log, write, tell, committed, left, janitor };
}

describe('the janitor of snapshots', () => {
  it('keeps the two newest committed ones and all that is newer, and removes what is older', async () => {
    const { write, committed, left } = await setUp();
    // 20-25 and 40-45 belong to cuts that never committed
    for (const [offset, id] of [
      [10, '15'],
      [20, '25'],
      [30, '35'],
      [40, '45'],
      [50, '55'],
      [60, '65'],
    ] as const) {
      await write(offset, id);
    }
    await committed([30, '35'], [50, '55']);
    expect(left()).toEqual([pathOf(30, '35'), pathOf(40, '45'), pathOf(50, '55'), pathOf(60, '65')]);
  });

  it('compares offsets as numbers, however long they are', async () => {
    const { write, committed, left } = await setUp();
    for (const [offset, id] of [
      [9, '1'],
      [100, '2'],
      [1_000, '3'],
    ] as const) {
      await write(offset, id);
    }
    await committed([100, '2'], [1_000, '3']);
    expect(left()).toEqual([pathOf(100, '2'), pathOf(1_000, '3')]);
  });

  it('that is behind removes nothing that is the newest of what waits', async () => {
    const { write, tell, left, janitor, log } = await setUp();
    const all = [10, 20, 30, 40, 50].map((offset): [number, string] => [offset, `${offset}`]);
    for (const [offset, id] of all) await write(offset, id);
    for (const at of [1, 2, 3, 4]) tell(all[at - 1]!, all[at]!);
    await janitor.settled();
    expect(log.lines).toEqual([]);
    expect(left()).toEqual([pathOf(40, '40'), pathOf(50, '50')]);
  });

  it('leaves what lies at the offset of the older one: another cut is under way there, by another clock', async () => {
    const { write, committed, left } = await setUp();
    for (const id of ['3', '7', '8', '9']) await write(30, id);
    await committed([30, '8'], [30, '7']);
    expect(left()).toHaveLength(4);
    // and goes on with those that it saw replaced
    await committed([30, '7'], [30, '3']);
    expect(left()).toEqual([pathOf(30, '3'), pathOf(30, '7'), pathOf(30, '9')]);
    await write(31, '1');
    await committed([30, '3'], [31, '1']);
    expect(left()).toEqual([pathOf(30, '3'), pathOf(30, '9'), pathOf(31, '1')]);
  });

  it('removes nothing while there is only one', async () => {
    const { write, committed, left } = await setUp();
    await write(10, '1');
    await write(20, '2');
    await committed([20, '2']);
    expect(left()).toHaveLength(2);
  });

  it('removes nothing when the newest is not there, and says so', async () => {
    const { write, committed, left, log } = await setUp();
    await write(10, '1');
    await write(20, '2');
    await committed([20, '2'], [30, '3']);
    expect(left()).toHaveLength(2);
    expect(log.with('is not there')[0]!.fields).toMatchObject({ partition: 4, path: pathOf(30, '3') });
  });

  it('says nothing of one that the next owner of the lane has replaced and cleaned up', async () => {
    const { write, committed, left, log } = await setUp();
    await write(10, '1');
    await write(40, '4');
    await committed([20, '2'], [30, '3']);
    expect(log.lines).toEqual([]);
    expect(left()).toEqual([pathOf(10, '1'), pathOf(40, '4')]);
  });

  it('that is behind reads only what is the newest by now', async () => {
    const { store, write, tell, janitor, left } = await setUp();
    const all = [10, 20, 30, 40].map((offset): [number, string] => [offset, `${offset}`]);
    for (const [offset, id] of all) await write(offset, id);
    const read: string[] = [];
    const get = store.get.bind(store);
    store.get = async (path) => {
      read.push(path);
      return await get(path);
    };
    for (const at of [1, 2, 3]) tell(all[at - 1]!, all[at]!);
    await janitor.settled();
    expect(read).toEqual([pathOf(30, '30'), pathOf(40, '40')]);
    expect(left()).toEqual([pathOf(30, '30'), pathOf(40, '40')]);
  });

  it('removes nothing when the newest can not be read back whole, and goes on with the next', async () => {
    const { store, write, committed, left, log } = await setUp();
    for (const offset of [10, 20, 30]) await write(offset, `${offset}`);
    store.objects.set(pathOf(30, '30'), store.objects.get(pathOf(30, '30'))!.subarray(0, 30));
    await committed([20, '20'], [30, '30']);
    expect(left()).toHaveLength(3);
    expect(log.with('could not clean up')).toHaveLength(1);
    await write(40, '40');
    await committed([30, '30'], [40, '40']);
    expect(left()).toEqual([pathOf(30, '30'), pathOf(40, '40')]);
  });

  it('removes nothing when the newest is the snapshot of another cut', async () => {
    const { store, write, committed, left } = await setUp();
    for (const offset of [10, 20, 30]) await write(offset, `${offset}`);
    store.objects.set(pathOf(30, '30'), store.objects.get(pathOf(20, '20'))!);
    await committed([20, '20'], [30, '30']);
    expect(left()).toHaveLength(3);
  });

  it('never touches other lanes', async () => {
    const { store, write, committed } = await setUp();
    const other = `_headrace/snapshots/topic-id/41/${'0'.repeat(20)}-1.snap`;
    await store.put(other, Buffer.from('theirs'));
    for (const offset of [10, 20, 30]) await write(offset, `${offset}`);
    await committed([20, '20'], [30, '30']);
    expect(store.objects.has(other)).toBe(true);
  });
});
