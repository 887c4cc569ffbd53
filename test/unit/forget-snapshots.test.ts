import { describe, expect, it } from 'vitest';
import { keyPartOf } from '#src/commands/forget/key-part.js';
import { personOf } from '#src/commands/forget/person.js';
import { Progress } from '#src/commands/forget/progress.js';
import { forgottenAtMs, planLane } from '#src/commands/forget/snapshot-plan.js';
import { searchSnapshots } from '#src/commands/forget/snapshot-search.js';
import { appIdOf } from '#src/ledger/history.js';
import type { LaneState } from '#src/reference/lane-state.js';
import { encodeSnapshot } from '#src/reference/snapshot.js';
import { encodeState } from '#src/reference/state-codec.js';
import { MemoryStore } from '../support/fake-store.js';
import { BASE_MS, LaneProbe, tinyModel } from '../support/reference-lane.js';

/** Which snapshots hold something of a person, and what becomes of them. */
const MODEL = tinyModel({});
const OWNER = { group: 'g', topic: 't' };
const TOPIC_ID = '0'.repeat(32);
const progress = new Progress(() => {});
const user = MODEL.fields[MODEL.keyField]!.path.join('.');

async function stored(store: MemoryStore, state: LaneState, offset: bigint, partition = 0): Promise<string> {
  const appId = appIdOf(OWNER, TOPIC_ID, partition);
  const meta = { modelHash: MODEL.hash, appId, partition, offset, cutId: '77' };
  const path = `_headrace/snapshots/${TOPIC_ID}/${partition}/${String(offset).padStart(20, '0')}-77.snap`;
  await store.put(path, encodeSnapshot(encodeState(MODEL, state), meta));
  return path;
}

const search = (store: MemoryStore, key: string) =>
  searchSnapshots({ store, owner: OWNER, model: MODEL, person: personOf(MODEL, key), progress });

describe('a snapshot', () => {
  it('holds a person whose session is open, or closed and still known, and not one of a like name', async () => {
    const store = new MemoryStore();
    const probe = new LaneProbe(MODEL);
    probe.send({ user: 'u1', at: 0 }, { user: 'u12', at: 1 });
    const open = await stored(store, probe.lane.snapshot(), 2n);
    expect([...(await search(store, `${user}=u1`)).held.values()]).toEqual([
      expect.objectContaining({
        path: open,
        partition: 0,
        offset: 2n,
        open: 1,
        closed: 0,
        heldMs: BASE_MS + MODEL.gapMs,
      }),
    ]);
    expect((await search(store, `${user}=u`)).held.size).toBe(0);
    // an event of another closes it, and much later it is known no more
    const gapSeconds = MODEL.gapMs / 1_000;
    probe.send({ user: 'x', at: gapSeconds + MODEL.allowedDisorderMs / 1_000 + 1 });
    const closed = await stored(store, probe.lane.snapshot(), 3n);
    expect((await search(store, `${user}=u1`)).held.get(closed)).toMatchObject({ open: 0, closed: 1 });
    const person = personOf(MODEL, `${user}=u1`);
    const goneAtMs = forgottenAtMs(BASE_MS + MODEL.gapMs, MODEL);
    probe.send({ user: 'x', at: (goneAtMs - BASE_MS + MODEL.allowedDisorderMs) / 1_000 + 1 });
    const after = await stored(store, probe.lane.snapshot(), 4n);
    const { held, all } = await search(store, `${user}=${person.value}`);
    expect([...held.keys()].sort()).toEqual([open, closed].sort());
    expect(all.map(({ path }) => path)).toContain(after);
  });

  it('holds a person by a part of the key', async () => {
    const store = new MemoryStore();
    const probe = new LaneProbe(MODEL);
    probe.send({ user: 'a\\|1|x', at: 0 }, { user: 'y|a\\|1', at: 1 });
    const path = await stored(store, probe.lane.snapshot(), 2n);
    const person = { ...personOf(MODEL, `${user}=a|1`), isKey: false };
    const of = async (at: number) => {
      const { held } = await searchSnapshots({
        store,
        owner: OWNER,
        model: MODEL,
        person: { ...person, keyPart: keyPartOf(at, 2, 'a|1') },
        progress,
      });
      return held.get(path);
    };
    expect(await of(0)).toMatchObject({ open: 1, closed: 0, heldMs: BASE_MS + MODEL.gapMs });
    expect(await of(1)).toMatchObject({ open: 1, heldMs: BASE_MS + 1_000 + MODEL.gapMs });
    person.value = 'other';
    const other = { ...person, keyPart: keyPartOf(0, 2, 'other') };
    const found = await searchSnapshots({ store, owner: OWNER, model: MODEL, person: other, progress });
    expect(found.held.size).toBe(0);
  });

  it('that can’t be read is named, whatever is in it', async () => {
    const store = new MemoryStore();
    const path = await stored(store, new LaneProbe(MODEL).lane.snapshot(), 1n);
    await store.put(path, store.objects.get(path)!.slice(0, 30));
    expect(await search(store, `${user}=u1`)).toMatchObject({ unread: [path] });
  });
});

describe('of a lane', () => {
  const at = (offset: number) => ({
    path: `p${offset}`,
    offset: BigInt(offset),
    topicId: TOPIC_ID,
    partition: 0,
  });
  const ref = (offset: number) => ({
    path: `p${offset}`,
    sizeBytes: 1,
    offset: BigInt(offset),
    cutId: '1',
    version: offset,
  });
  const held = (...offsets: number[]) => ({
    held: new Map(
      offsets.map((offset) => [`p${offset}`, { ...at(offset), open: 1, closed: 0, heldMs: offset }]),
    ),
  });
  const lane = { partition: 0, snapshots: [ref(5), ref(9)] };

  it('the newest one is never taken away, older ones are, and what may be about to be committed is not', () => {
    expect(planLane(lane, TOPIC_ID, held())).toEqual({
      partition: 0,
      state: 'clean',
      older: [],
      heldMs: null,
    });
    expect(planLane(lane, TOPIC_ID, held(3, 5))).toMatchObject({ state: 'older', older: ['p3', 'p5'] });
    expect(planLane(lane, TOPIC_ID, held(5, 9))).toMatchObject({ state: 'in use', older: ['p5'], heldMs: 9 });
    expect(planLane(lane, TOPIC_ID, held(12))).toMatchObject({ state: 'older', older: [] });
    expect(planLane({ partition: 0, snapshots: [] }, TOPIC_ID, held(3))).toMatchObject({ older: [] });
    expect(planLane(lane, 'another topic', held(3, 5, 9)).state).toBe('clean');
  });
});
