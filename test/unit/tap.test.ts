import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { eventLine } from '#src/commands/tap/event-line.js';
import { lookOf } from '#src/commands/tap/event-look.js';
import { matches, parseFilter } from '#src/commands/tap/filter.js';
import { tapLetters } from '#src/commands/tap/letters.js';
import { HIDDEN, Masking } from '#src/commands/tap/masking.js';
import { tapSessions } from '#src/commands/tap/sessions.js';
import { parsePercent, Share } from '#src/commands/tap/share.js';
import type { TapOptions } from '#src/commands/tap/tap-options.js';
import { lakeAt } from '#src/config/lake-place.js';
import type { Add } from '#src/lake/delta/actions.js';
import { LocalStore } from '#src/lake/store/local.js';
import { encodeDeadLetters } from '#src/ledger/dead-letter-file.js';
import { compileModel } from '#src/model/compile.js';
import { loadModel } from '#src/model/load.js';
import { seededRandom } from '#src/random.js';
import { masked } from '#src/reference/mask.js';
import { createTable, laneEntry, openLedger, SOURCE } from '../support/fake-ledger.js';
import { eventually, HurriedClock } from '../support/fake-time.js';
import { info, LakeStory, printed, sessionRow } from '../support/lake-story.js';
import { withFolder } from '../support/lake-table.js';
import { FIVE, headrace } from '../support/run-cli.js';

const MASKED_TEXT = `
name: masks
key: user
time: { field: at, format: epoch_ms }
mask_salt_file: salt
fields:
  user: { type: string, required: true, mask: hash }
  at: { type: time, required: true }
  net.ip: { type: string, mask: truncate_ip }
gap: 30m
columns:
  session_id: $session_id
  user: { op: key }
  session_start: $session_start
  created_at: $cut_time
  batch_id: $batch
  file_id: $file
  closed_by: $closed_by
  revision: $revision
  sign: $sign
`;

/** A model with masks, in a folder of its own. */
async function withMasks(work: (folder: string, file: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await writeFile(join(folder, 'salt'), 'sixteen bytes at least\n');
    const file = join(folder, 'masks.yaml');
    await writeFile(file, MASKED_TEXT);
    await work(folder, file);
  });
}

const AT_MS = Date.parse('2026-01-31T12:00:00Z');
const json = (event: unknown) => Buffer.from(JSON.stringify(event));

describe('an event under a tap', () => {
  it('has masked values as the model keeps them, wherever they are and whatever it is', async () => {
    await withMasks(async (folder) => {
      const model = compileModel(MASKED_TEXT, 'masks', folder);
      const masking = new Masking(model);
      const shown = (value: Uint8Array) => lookOf(value, masking);
      const hash = masked('ann', 'hash', model);
      expect(shown(json({ user: 'ann', at: 1, net: { ip: '203.0.113.9', via: 'x' }, page: '/' }))).toEqual({
        event: { user: hash, at: 1, net: { ip: '203.0.113.0', via: 'x' }, page: '/' },
        text: null,
      });
      expect(shown(json({ user: null, net: { ip: 'nonsense' } })).event).toEqual({
        user: null,
        net: { ip: null },
      });
      expect(shown(json({ user: 7, net: ['203.0.113.9'] })).event).toEqual({ user: HIDDEN, net: HIDDEN });
      expect(shown(json({ net: { ip: { raw: '203.0.113.9' } } })).event).toEqual({ net: { ip: HIDDEN } });
      expect(shown(json([{ user: 'ann' }, 'ann'])).event).toEqual([{ user: hash }, HIDDEN]);
      expect(shown(json('ann')).event).toBe(HIDDEN);
      expect(shown(pack({ user: 'ann' })).event).toEqual({ user: hash });
      for (const bytes of [Buffer.from('{"user":"ann"'), Buffer.of(0xff, ...Buffer.from('ann'))]) {
        expect(shown(bytes)).toEqual({ event: null, text: HIDDEN });
      }
      const record = { partition: 3, offset: 12, key: Buffer.from('ann'), timestamp: AT_MS };
      const wanted = { model, masking, recordBytesMax: 1_000 };
      for (const asJson of [true, false]) {
        for (const text of [
          '{"user":"ann","at":1}',
          '{"user":"ann"',
          '{"user":["ann"],"at":1}',
          '{"at":1,"user":',
        ]) {
          const value = Buffer.from(text);
          expect(eventLine({ ...record, value }, shown(value), { ...wanted, json: asJson })).not.toContain(
            'ann',
          );
        }
      }
    });
  });

  it('is told with what the model would say of it', () => {
    const model = loadModel('clickstream');
    const masking = new Masking(model);
    const wanted = { model, masking, recordBytesMax: 100, json: true };
    const line = (value: Buffer | null, more: object = {}) => {
      const record = { partition: 3, offset: 12, key: Buffer.from('k'), timestamp: AT_MS, value, ...more };
      return JSON.parse(eventLine(record, lookOf(value, masking), wanted)) as Record<string, unknown>;
    };
    const good = { timestamp: '2026-01-31T12:00:00Z', user_id: 'u', event_type: 'click' };
    expect(line(json(good))).toEqual({
      ...{ partition: 3, offset: 12, recorded: '2026-01-31T12:00:00.000Z', key: 'k', refused: null },
      ...{ event: good, text: null },
    });
    expect(line(json({ ...good, user_id: undefined }))).toMatchObject({
      refused: { reason: 'missing_field', detail: 'user_id is missing' },
    });
    expect(line(Buffer.from('{"a'), { timestamp: -1, key: null })).toMatchObject({
      ...{ recorded: null, key: null, event: null, text: '{"a', refused: { reason: 'malformed' } },
    });
    expect(line(null)).toMatchObject({ event: null, text: null, refused: { detail: 'no value' } });
    expect(line(json({ ...good, long: 'x'.repeat(100) }))).toMatchObject({
      refused: { reason: 'too_large' },
    });
    const text = eventLine(
      { partition: 3, offset: 12, key: Buffer.from('k\u001b[31m'), value: json(good), timestamp: AT_MS },
      lookOf(json(good), masking),
      { ...wanted, json: false },
    );
    expect(text).toMatch(/^2026-01-31 12:00:00\.000 {2}3:12 {2}k·\[31m {2}\{"timestamp":/);
  });
});

describe('a filter of events', () => {
  const model = loadModel('clickstream');
  const event = { type: 'buy', geo: { country: 'DE' }, 'a.b': 1, n: 5, no: null, yes: true, tags: ['x'] };
  const holds = (text: string, of: unknown = event) =>
    matches([parseFilter(text)], of, { partition: 3, offset: 12 }, model);

  it.each([
    ['type=buy', true],
    ['type = "buy"', true],
    ['type!=buy', false],
    ['geo.country=DE', true],
    ['geo.country!=FR', true],
    ['a.b=1', true],
    ['n=5', true],
    ['yes=true', true],
    ['tags=["x"]', true],
    ['partition=3', true],
    ['offset!=12', false],
    // as in SQL
    ['no=null', false],
    ['no!=x', false],
    ['nowhere!=x', false],
    ['geo.country.code=DE', false],
    ['constructor!=x', false],
  ])('%s: %s', (text, expected) => {
    expect(holds(text)).toBe(expected);
  });

  it('of a message of several holds where all hold of one', () => {
    const both = ['type=buy', 'n=2'].map(parseFilter);
    const of = (list: unknown[]) => matches(both, list, { partition: 0, offset: 0 }, model);
    expect(
      of([
        { type: 'buy', n: 1 },
        { type: 'buy', n: 2 },
      ]),
    ).toBe(true);
    expect(
      of([
        { type: 'buy', n: 1 },
        { type: 'see', n: 2 },
      ]),
    ).toBe(false);
    expect(of([])).toBe(false);
    expect(matches([], null, { partition: 0, offset: 0 }, model)).toBe(true);
  });

  it('takes a masked value as it came, too, and compares it as it is kept', async () => {
    await withMasks(async (folder) => {
      const masks = compileModel(MASKED_TEXT, 'masks', folder);
      const shown = new Masking(masks).shown({ user: 'ann', net: { ip: '203.0.113.9' } });
      const of = (text: string) => matches([parseFilter(text)], shown, {}, masks);
      expect(of('user=ann')).toBe(true);
      expect(of(`user=${masked('ann', 'hash', masks)}`)).toBe(true);
      expect(of('user=bob')).toBe(false);
      expect(of('user!=ann')).toBe(false);
      expect(of('net.ip=203.0.113.77')).toBe(true);
      expect(of('net.ip=203.0.114.77')).toBe(false);
    });
  });

  it.each(['', 'type', '=x', 'a b=c', 'n>5'])('%j is none', (text) => {
    expect(() => parseFilter(text)).toThrow(/--filter must be like field=value/);
  });
});

describe('a share', () => {
  const share = (options: Partial<ConstructorParameters<typeof Share>[0]>, clock = new HurriedClock()) => ({
    clock,
    share: new Share({ percent: null, perSecond: null, limit: null, ...options }, clock, seededRandom(7)),
  });

  it('by chance is about as large as was asked', () => {
    const { share: part } = share({ percent: 5 });
    const chosen = Array.from({ length: 20_000 }, () => part.isChosen()).filter((is) => is).length;
    expect(chosen).toBeGreaterThan(850);
    expect(chosen).toBeLessThan(1_150);
    const { share: all } = share({});
    expect(Array.from({ length: 100 }, () => all.isChosen())).not.toContain(false);
  });

  it('by rate has room for so many in each second and counts the others', () => {
    const { clock, share: rated } = share({ perSecond: 3 });
    const ask = () => Array.from({ length: 5 }, () => rated.hasRoom()).filter((is) => is).length;
    expect(ask()).toBe(3);
    clock.advance(999);
    expect(ask()).toBe(0);
    clock.advance(1);
    expect(ask()).toBe(3);
    expect({ shown: rated.shown, passedOver: rated.passedOver }).toEqual({ shown: 6, passedOver: 9 });
  });

  it('by number is enough then', () => {
    const { share: two } = share({ limit: 2 });
    expect([two.hasRoom(), two.isEnough, two.hasRoom(), two.isEnough, two.hasRoom()]).toEqual([
      ...[true, false, true, true, false],
    ]);
    expect(two.shown).toBe(2);
  });

  it('is typed as a part of a hundred', () => {
    expect([parsePercent('1%'), parsePercent('0.5 %'), parsePercent('100%')]).toEqual([1, 0.5, 100]);
    expect(() => parsePercent('1')).toThrow(/not "1"; write 1% if you mean that/);
    for (const wrong of ['0%', '101%', '-1%', '%']) expect(() => parsePercent(wrong)).toThrow(/--sample/);
  });
});

/** What a tap is told, and what it says. */
function tapping(more: Partial<TapOptions> = {}) {
  const { said, stdout, stderr } = printed();
  const options: TapOptions = {
    ...{ filters: [], limit: null, percent: null, perSecond: null, from: 'latest', json: true },
    ...{ stdout, stderr },
    ...more,
  };
  const lines = () =>
    said.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const begun = () => eventually('the tap begins', () => /Ctrl-C ends it\n/.test(said.stderr));
  return { options, said, lines, begun };
}

describe('headrace tap sessions', () => {
  const briefly = (lines: Record<string, unknown>[]) =>
    lines.map(({ version, session }) => {
      const { session_id: id, u32, sign } = session as Record<string, unknown>;
      return `v${version} ${id} ${u32} ${sign}`;
    });

  it('shows rows of versions as they come, and nothing that maintenance wrote again', async () => {
    await withFolder(async (folder) => {
      const story = await LakeStory.begin(join(folder, 'lake'));
      await story.cut([sessionRow('before', 0, 0, 1)]);
      const { options, said, lines, begun } = tapping({ limit: 3 });
      const done = tapSessions({ ...options, lake: story.folder, columns: 'session_id,u32,sign' });
      await begun();
      await story.cut([sessionRow('a', 0, 0, 3)]);
      const again = await story.write([sessionRow('before', 0, 0, 1)]);
      const { add } = again[0] as { add: Add };
      await story.put([{ commitInfo: info('again', []) }, { add: { ...add, dataChange: false } }]);
      await story.cut([sessionRow('a', 0, 0, 3, -1), sessionRow('a', 0, 1, 4)]);
      expect(await done).toBe(0);
      expect(briefly(lines())).toEqual(['v2 a 3 1', 'v4 a 3 -1', 'v4 a 4 1']);
      expect(Object.keys(lines()[0]!.session as object)).toEqual(['session_id', 'u32', 'sign']);
      expect(said.stderr).toMatch(
        /^sessions of .*lake.*, version 1, what comes from now on; Ctrl-C ends it\n3 shown\n$/,
      );
    });
  });

  it('from the earliest on, by conditions, without files that are gone', async () => {
    await withFolder(async (folder) => {
      const story = await LakeStory.begin(join(folder, 'lake'));
      const gone = await story.cut([sessionRow('gone', 0, 0, 9)]);
      await story.cut([sessionRow('a', 0, 0, 3), sessionRow('b', 0, 0, 9)]);
      await story.cut([sessionRow('c', 1, 0, 7)]);
      const files = (await story.store.list('')).map(({ path }) => path);
      await story.store.delete(files.find((path) => path.endsWith(`part-${gone}.parquet`))!);
      const { options, said, lines } = tapping({
        from: 'earliest',
        limit: 2,
        filters: ['u32 >= 7', 'session_id!=x'],
      });
      expect(await tapSessions({ ...options, lake: story.folder, columns: null })).toBe(0);
      expect(briefly(lines())).toEqual(['v2 b 9 1', 'v3 c 7 1']);
      expect(said.stderr).toMatch(/\nleft out: LAKE_FILE_BROKEN: .*it is not there.*\n2 shown\n$/);
      const text = tapping({ from: 'earliest', limit: 1, json: false });
      await tapSessions({ ...text.options, lake: story.folder, columns: 'session_id,u32' });
      expect(text.said.stdout).toBe('v2  session_id=a  u32=3\n');
      const wrong = tapSessions({
        ...tapping({ filters: ['u33=1'] }).options,
        lake: story.folder,
        columns: null,
      });
      await expect(wrong).rejects.toThrow(/--filter: the table has no column "u33"/);
    });
  });
});

describe('headrace tap dead-letters', () => {
  it('shows letters as they are committed, masked, by reason and field', async () => {
    await withMasks(async (folder, model) => {
      const store = await LocalStore.open(join(folder, 'lake'));
      await createTable(store, {
        ...{ 'headrace.group': SOURCE.group, 'headrace.topic': SOURCE.topic, 'headrace.model': 'masks' },
      });
      const ledger = await openLedger(store, {
        engineId: 'e',
        clock: new HurriedClock(),
        random: seededRandom(1),
      });
      let committed = 0;
      const commit = async (values: string[], reason: 'malformed' | 'missing_field') => {
        const [from, path] = [committed * 10, `_headrace/dead-letters/${committed}`];
        const letters = values.map((value, at) => ({
          partition: 3,
          letter: {
            ...{ reason, detail: 'at is missing', offset: BigInt(from + at), timestampMs: AT_MS },
            ...{ key: Buffer.from('ann'), value: Buffer.from(value) },
          },
        }));
        const bytes = encodeDeadLetters(SOURCE.topic, letters);
        await store.put(path, bytes);
        const lane = { ...laneEntry(3, from, from + 10, committed), rows: 0, deadLetters: values.length };
        const deadLetterFiles = [{ path, sizeBytes: bytes.byteLength, letters: values.length }];
        const start = committed === 0 ? { start: true as const } : {};
        await ledger.commit(() => ({
          files: [],
          lanes: [{ partition: 3, to: BigInt(from + 10) }],
          cuts: [{ id: `${committed}`, createdAtMs: 0, lanes: [{ ...lane, ...start }], deadLetterFiles }],
        }));
        committed++;
      };
      await commit(['{"user":"ann"}'], 'missing_field');
      const config = { lake: lakeAt(join(folder, 'lake')), model };
      const live = tapping({ limit: 3 });
      const only = tapping({ limit: 1, filters: ['reason=malformed', 'partition=3'] });
      const done = [live, only].map(({ options }) => tapLetters({ ...options, config }));
      await Promise.all([live.begun(), only.begun()]);
      await commit(['{"user":"ann","page":"/"}', '{"user":"bob"}'], 'missing_field');
      await commit(['{"user":"ann'], 'malformed');
      expect(await Promise.all(done)).toEqual([0, 0]);
      const hash = masked('ann', 'hash', loadModel(model));
      expect(live.lines()).toMatchObject([
        {
          version: 2,
          partition: 3,
          offset: 10,
          item: null,
          recorded: '2026-01-31T12:00:00.000Z',
          reason: 'missing_field',
          detail: 'at is missing',
          event: { user: hash, page: '/' },
        },
        { version: 2, offset: 11 },
        { version: 3, offset: 20, reason: 'malformed', key: HIDDEN, event: null, text: HIDDEN },
      ]);
      expect(only.lines()).toMatchObject([{ offset: 20 }]);
      const early = tapping({ from: 'earliest', limit: 2, filters: ['user=ann'], json: false });
      await tapLetters({ ...early.options, config });
      expect(early.said.stdout).toMatch(
        /^2026-01-31 12:00:00\.000 {2}3:0 {2}missing_field \(at is missing\) {2}\(masked\) {2}\{.*\n.* 3:10 .*\n$/,
      );
      expect(live.said.stdout + only.said.stdout + early.said.stdout).not.toMatch(/ann|bob/);
    });
  });
});

describe('the command line of tap', () => {
  it('shows people so many a second, and machines or a bounded number all', async () => {
    const events = (await headrace(['tap', 'events', ...FIVE])).tap[0];
    expect(events).toMatchObject({
      ...{
        name: 'events',
        filters: [],
        limit: null,
        percent: null,
        perSecond: 20,
        from: 'latest',
        json: false,
      },
      config: { kafka: { topic: 't' } },
    });
    for (const flags of [['--json'], ['--limit', '5'], ['--sample', '1%'], ['--rate', 'off']])
      expect((await headrace(['tap', 'events', ...FIVE, ...flags])).tap[0]).toMatchObject({
        perSecond: null,
      });
    const rated = ['--json', '--rate', '5', '--filter', 'a=b', '--filter', 'c!=d', '--from', 'earliest'];
    expect(
      (await headrace(['tap', 'dead-letters', '--config', 'engine.yaml', ...rated])).tap[0],
    ).toMatchObject({
      ...{ name: 'dead-letters', perSecond: 5, filters: ['a=b', 'c!=d'], from: 'earliest', json: true },
      config: { model: 'clickstream', log: { format: 'json' } },
    });
  });

  it('sessions needs a table and nothing else', async () => {
    const named = await headrace(['tap', 'sessions', '--lake', '/t', '--columns', 'a,b']);
    expect(named.tap[0]).toMatchObject({ name: 'sessions', lake: { path: '/t' }, columns: 'a,b' });
    const { code, stderr } = await headrace(['tap', 'sessions']);
    expect({ code, stderr }).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('neither --lake nor'),
    });
  });

  it.each([
    [['--from', 'earlyest'], /--from must be latest or earliest, not "earlyest" — did you mean earliest\?/],
    [['--limit', '0'], /--limit must be at least 1/],
    [['--rate', '0'], /--rate must be a whole number/],
    [['--sample', '5'], /write 5% if you mean that/],
  ])('%j is refused', async (flags, says) => {
    const { code, stderr, tap } = await headrace(['tap', 'events', ...FIVE, ...flags]);
    expect({ code, tap }).toEqual({ code: 64, tap: [] });
    expect(stderr).toMatch(says);
  });
});
